namespace EfPooling.AdoNet.Tests;

/// <summary>A session that behaves as PostgreSQL's, and beside it what is believed of it. Each step is what the holder of a lease does.</summary>
internal sealed class SettingsWorld(Random random)
{
    private static readonly string[] Names = ["app.tenant", "app.user", "search_path", "statement_timeout"];

    private readonly ServerSettings _settings = new();
    private Dictionary<string, string> _session = [];
    private Dictionary<string, string>? _before; // those before the open transaction
    private bool _hasFailed; // the open transaction
    private SettingMap _asked = SettingMap.Empty;

    public string Session => string.Join(", ", _session.Select(setting => $"{setting.Key}={setting.Value}"));

    /// <summary>Each map that is believed to be in force is.</summary>
    public bool BelievesOnlyWhatIsTrue => new[] { _asked, Actual(), SettingMap.Empty }.All(map => !_settings.Are(map) || map.Equals(Actual()));

    public string Step() => random.Next(10) switch
    {
        0 or 1 => Apply(),
        2 or 3 => SendAhead(),
        4 => ChangeBySql(),
        5 => _before is null ? Begin() : End(commit: true),
        6 => _before is null ? Begin() : End(commit: false),
        7 => _before is null ? Reset() : Fail(),
        8 => ReadBack(),
        _ => _before is null ? ReadBack() : RollBackToSavepoint(),
    };

    /// <summary>Whatever has happened, one application of what is missing leads there.</summary>
    public bool CanBeBroughtTo(SettingMap wanted)
    {
        if (_before is not null)
        {
            End(commit: false);
        }

        Carry(_settings.ChangesTo(wanted));
        return Actual().Equals(wanted);
    }

    private string Apply()
    {
        _asked = Some();
        var changes = _settings.ChangesTo(_asked);
        _settings.Changing(_asked);
        if (_hasFailed || random.Next(4) == 0)
        {
            _hasFailed = _before is not null;
            _settings.OnStatementFailed(serverAnswered: true);
            return $"a failed change to {_asked}";
        }

        Carry(changes);
        _settings.Confirmed(_asked, isInTransaction: _before is not null);
        return $"a change to {_asked}";
    }

    // Only outside a transaction, or ahead of its BEGIN.
    private string SendAhead()
    {
        if (_before is not null)
        {
            return "nothing";
        }

        _asked = Some();
        var isOwn = random.Next(2) == 0;
        var changes = _settings.ChangesTo(_asked);
        _settings.Sent(_asked, isOwn);
        var mayChange = random.Next(4) == 0;
        if (mayChange)
        {
            _settings.Doubt(Names);
        }

        if (random.Next(3) == 0)
        {
            if (isOwn)
            {
                Carry(changes);
            }

            _settings.OnStatementFailed(serverAnswered: true);
            return $"{_asked} ahead of a failed statement, own {isOwn}";
        }

        Carry(changes);
        if (mayChange)
        {
            _session[Names[random.Next(Names.Length)]] = "sql";
        }

        if (random.Next(4) == 0)
        {
            _settings.OnUnobserved();
        }

        _settings.OnStatementSucceeded(hasAnswered: true);
        return $"{_asked} ahead of a statement, own {isOwn}, which changes settings itself {mayChange}";
    }

    private string ChangeBySql()
    {
        var name = Names[random.Next(Names.Length)];
        _settings.Doubt([name]);
        if (!_hasFailed)
        {
            _session[name] = "sql";
        }

        return $"SET {name}";
    }

    private string Begin()
    {
        _before = new(_session);
        return "BEGIN";
    }

    private string End(bool commit)
    {
        _settings.DoubtRevocable();
        if (!commit || _hasFailed)
        {
            _session = _before!;
        }

        (_before, _hasFailed) = (null, false);
        _settings.OnTransactionEnded();
        return commit ? "COMMIT" : "ROLLBACK";
    }

    // To before everything that the transaction has done.
    private string RollBackToSavepoint()
    {
        _session = new(_before!);
        _hasFailed = false;
        _settings.OnTransactionEnded();
        return "ROLLBACK TO SAVEPOINT";
    }

    private string Fail()
    {
        _hasFailed = true;
        _settings.OnStatementFailed(serverAnswered: true);
        return "a failed statement";
    }

    private string Reset()
    {
        _session.Clear();
        _settings.OnReset();
        return "a reset";
    }

    private string ReadBack()
    {
        if (_hasFailed)
        {
            return "nothing";
        }

        var name = Names[random.Next(Names.Length)];
        _settings.Learn(name, _session.GetValueOrDefault(name), isInTransaction: _before is not null);
        return $"reading {name} back";
    }

    private void Carry(List<SettingChange> changes)
    {
        foreach (var (name, value) in changes)
        {
            if (value is null)
            {
                _session.Remove(name);
            }
            else
            {
                _session[name] = value;
            }
        }
    }

    private SettingMap Actual() => _session.Aggregate(SettingMap.Empty, static (map, setting) => map.With(setting.Key, setting.Value));

    private SettingMap Some() => Names.Where(_ => random.Next(2) == 0).Aggregate(SettingMap.Empty, (map, name) => map.With(name, $"{random.Next(3)}"));
}
