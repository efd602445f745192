using System.Globalization;
using System.Text.RegularExpressions;
using EfPooling.AdoNet.Sql;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// Compares the session of one server connection, after each lease that was judged clean, with its state before. For tests and
/// staging, because it costs round trips. Used by the holder of the lease only.
/// </summary>
internal sealed partial class SessionVerifier(int timeoutSeconds)
{
    private const double Seed = 0.3125;
    private const int MostNumbers = 2_000;

    private readonly List<string> _texts = []; // those of the lease
    private readonly HashSet<string> _customSettings = new(StringComparer.Ordinal); // those named in a text
    private HashSet<double>? _numbers; // the values of random() after the seed
    private SessionPicture? _before;

    /// <summary>A text is about to run.</summary>
    public void Add(string text)
    {
        _texts.Add(text);
        foreach (Match match in CustomSetting().Matches(text))
        {
            _customSettings.Add(match.Groups[1].Value);
        }
    }

    /// <summary>Records the session as the next lease will find it.</summary>
    public void Begin(NpgsqlConnection connection)
    {
        _texts.Clear();
        _before = SessionPicture.Take(connection, _customSettings, timeoutSeconds);
        if (_numbers is null)
        {
            SetSeed(connection);
            using var numbers = OwnCommand.Create($"SELECT pg_catalog.random() FROM pg_catalog.generate_series(1, {MostNumbers})", connection);
            using var reader = numbers.ExecuteReader();
            _numbers = [];
            while (reader.Read())
            {
                _numbers.Add(reader.GetDouble(0));
            }
        }

        SetSeed(connection);
    }

    /// <inheritdoc cref="Begin"/>
    public async Task BeginAsync(NpgsqlConnection connection)
    {
        _texts.Clear();
        _before = await SessionPicture.TakeAsync(connection, _customSettings, timeoutSeconds).ConfigureAwait(false);
        if (_numbers is null)
        {
            await SetSeedAsync(connection).ConfigureAwait(false);
            var numbers = OwnCommand.Create($"SELECT pg_catalog.random() FROM pg_catalog.generate_series(1, {MostNumbers})", connection);
            await using (numbers.ConfigureAwait(false))
            {
                var reader = await numbers.ExecuteReaderAsync().ConfigureAwait(false);
                await using (reader.ConfigureAwait(false))
                {
                    _numbers = [];
                    while (await reader.ReadAsync().ConfigureAwait(false))
                    {
                        _numbers.Add(reader.GetDouble(0));
                    }
                }
            }
        }

        await SetSeedAsync(connection).ConfigureAwait(false);
    }

    /// <summary>The lease has ended, and none of its statements was judged to change the session.</summary>
    /// <returns>
    /// Whether that is confirmed. If not, the session must be reset: a text has named a setting for the first time, and its
    /// earlier value is unknown.
    /// </returns>
    /// <exception cref="SessionChangedException">The session has changed.</exception>
    public bool Verify(NpgsqlConnection connection, string pool, IReadOnlyCollection<string> followed)
    {
        if (_before is null || _texts.Count == 0)
        {
            return true;
        }

        var now = SessionPicture.Take(connection, _customSettings, timeoutSeconds);
        using var random = Create("SELECT pg_catalog.random()", connection);
        Compare(now, (double)random.ExecuteScalar()!, pool, followed);
        return !now.KnowsMoreThan(_before);
    }

    /// <inheritdoc cref="Verify"/>
    public async Task<bool> VerifyAsync(NpgsqlConnection connection, string pool, IReadOnlyCollection<string> followed)
    {
        if (_before is null || _texts.Count == 0)
        {
            return true;
        }

        var now = await SessionPicture.TakeAsync(connection, _customSettings, timeoutSeconds).ConfigureAwait(false);
        var random = Create("SELECT pg_catalog.random()", connection);
        await using (random.ConfigureAwait(false))
        {
            Compare(now, (double)(await random.ExecuteScalarAsync().ConfigureAwait(false))!, pool, followed);
        }

        return !now.KnowsMoreThan(_before);
    }

    [GeneratedRegex(@"\b([a-zA-Z_]\w*\.\w+)\b", RegexOptions.CultureInvariant)]
    private static partial Regex CustomSetting();

    // A lease that has drawn very many numbers is beyond the known values of the seed. Its seed is then not judged.
    private void Compare(SessionPicture now, double number, string pool, IReadOnlyCollection<string> followed)
    {
        List<string> differences = [.. now.DifferencesTo(_before!, followed)];
        if (!_numbers!.Contains(number) && !_texts.Exists(text => text.Contains("random", StringComparison.OrdinalIgnoreCase)))
        {
            differences.Add("seed of random(): set");
        }

        if (differences.Count > 0)
        {
            throw new SessionChangedException(pool, [.. _texts], _texts.Select(SqlText.Shorten), differences);
        }
    }

    private static string SeedText => string.Create(CultureInfo.InvariantCulture, $"SELECT pg_catalog.setseed({Seed})");

    private void SetSeed(NpgsqlConnection connection)
    {
        using var seed = Create(SeedText, connection);
        seed.ExecuteNonQuery();
    }

    private async Task SetSeedAsync(NpgsqlConnection connection)
    {
        var seed = Create(SeedText, connection);
        await using (seed.ConfigureAwait(false))
        {
            await seed.ExecuteNonQueryAsync().ConfigureAwait(false);
        }
    }

    private NpgsqlCommand Create(string text, NpgsqlConnection connection)
    {
        var command = OwnCommand.Create(text, connection);
        command.CommandTimeout = timeoutSeconds;
        return command;
    }
}
