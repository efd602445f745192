namespace EfPooling.AdoNet.Sql;

/// <summary>What has been found in a text so far. One thread only.</summary>
internal sealed class VerdictBuilder
{
    public SessionEffects Effects { get; set; }

    /// <summary>The parts of <see cref="Effects"/> that do not come from CALL, whose procedure a catalog may know.</summary>
    public SessionEffects OwnEffects { get; private set; }

    public bool ResetsAllSettings { get; set; }

    public bool HasTransactionObject { get; set; }

    /// <summary>Something before this place may have advanced a sequence.</summary>
    public bool AdvancesSequence { get; set; }

    /// <summary>There is something that no plain read has: a change of data, a locking clause, INTO.</summary>
    public bool DoesMoreThanRead { get; set; }

    public bool HasInto { get; set; }

    public List<string> Settings { get; } = [];

    public HashSet<SqlName> Functions { get; } = [];

    public HashSet<SqlName> Relations { get; } = [];

    /// <summary>The part of <see cref="Relations"/> that stood where only a relation may stand, without the names of common table expressions.</summary>
    public HashSet<SqlName> Tables { get; } = [];

    public HashSet<string> Operators { get; } = [];

    public void Add(SessionEffects effects)
    {
        Effects |= effects;
        OwnEffects |= effects;
    }

    public void AddCall() => Effects |= SessionEffects.Unknown;

    public void AddSetting(string name)
    {
        Add(SessionEffects.Settings);
        name = name.ToLowerInvariant();
        if (!Settings.Contains(name))
        {
            Settings.Add(name);
        }
    }
}
