using System.Collections.Concurrent;
using Npgsql;

namespace EfPooling.AdoNet.Sql;

/// <summary>
/// What the connected database says about functions, views and tables: which are volatile, and which may do something to the session.
/// A picture of one moment: load it again after the schema has changed. Errs on the safe side. Immutable and thread-safe.
/// </summary>
/// <remarks>Not seen: event triggers, triggers on TRUNCATE, and what functions in C of extensions do.</remarks>
internal sealed class SqlCatalog
{
    /// <summary>The setting that says whether a read runs alone, so who looks at it is no pure read.</summary>
    public const string TellTale = "transaction_read_only";

    private const int CacheLimit = 10_000;

    // Special syntax on servers that have it; elsewhere the catalog knows a function of that name, or the text fails.
    private static readonly WordTable Keywords = new(
        "json json_array json_arrayagg json_exists json_object json_objectagg json_query json_scalar json_serialize json_value json_table merge_action");

    private readonly CatalogNames _functions;
    private readonly CatalogNames _relations;
    private readonly CatalogNames _writes;
    private readonly IReadOnlyDictionary<string, List<CatalogObject>> _operators;
    private readonly ConcurrentDictionary<SqlVerdict, (bool IsPureRead, bool MayChangeSession)> _answers = new();
    private readonly TextBudget _budget = new(CacheLimit); // of the answers

    internal SqlCatalog(CatalogNames functions, CatalogNames relations, CatalogNames writes, IReadOnlyDictionary<string, List<CatalogObject>> operators)
        => (_functions, _relations, _writes, _operators) = (functions, relations, writes, operators);

    /// <summary>Loads the catalog of the connection's database in one round trip.</summary>
    /// <exception cref="NpgsqlException">The server did not answer as it should.</exception>
    public static SqlCatalog Load(NpgsqlConnection connection)
    {
        var builder = new CatalogBuilder(connection.PostgreSqlVersion);
        using var batch = CreateBatch(builder, connection);
        using var reader = batch.ExecuteReader();
        foreach (var (_, read) in builder.Queries)
        {
            while (reader.Read())
            {
                read(reader);
            }

            reader.NextResult();
        }

        return builder.Build();
    }

    /// <inheritdoc cref="Load"/>
    public static async Task<SqlCatalog> LoadAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var builder = new CatalogBuilder(connection.PostgreSqlVersion);
        var batch = CreateBatch(builder, connection);
        await using (batch.ConfigureAwait(false))
        {
            var reader = await batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                foreach (var (_, read) in builder.Queries)
                {
                    while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                    {
                        read(reader);
                    }

                    await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
                }
            }
        }

        return builder.Build();
    }

    /// <summary>
    /// Whether the text only reads, and may be run again elsewhere: a read candidate, all of whose functions are known and not volatile, and
    /// all of whose tables are known, are not foreign, and are not views or protected by policies that need volatile functions.
    /// </summary>
    public bool IsPureRead(SqlVerdict verdict) => AnswerTo(verdict).IsPureRead;

    /// <summary>
    /// Whether a function or procedure that the text calls, directly or through views, triggers and other functions, may do something to the
    /// session, or is not known. Says nothing of the text's own effects (<see cref="SqlVerdict.OwnEffects"/>).
    /// </summary>
    public bool MayChangeSession(SqlVerdict verdict) => AnswerTo(verdict).MayChangeSession;

    internal static bool IsKeyword(SqlName name) => name.Schema is null && Keywords.Contains(name.Name);

    private static NpgsqlBatch CreateBatch(CatalogBuilder builder, NpgsqlConnection connection)
    {
        var batch = new NpgsqlBatch(connection);
        foreach (var (sql, _) in builder.Queries)
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(sql));
        }

        return batch;
    }

    private (bool IsPureRead, bool MayChangeSession) AnswerTo(SqlVerdict verdict)
    {
        if (_answers.TryGetValue(verdict, out var answer))
        {
            return answer;
        }

        if (!_budget.TryTake(verdict.Length))
        {
            _answers.Clear();
        }

        return _answers[verdict] = (verdict.IsReadCandidate && !verdict.Mentions(TellTale) && UsesOnlyPure(verdict), UsesSessionChange(verdict));
    }

    private bool UsesOnlyPure(SqlVerdict verdict)
        => verdict.Functions.All(name => (IsKeyword(name) && !_functions.Find(name).Any()) || IsKnownAnd(_functions.Find(name), known => !known.IsVolatile))
            && verdict.Tables.All(name => IsKnownAnd(_relations.Find(name), known => !known.IsVolatile))
            && !Implied(verdict).Any(known => known.IsVolatile);

    // The text has read the arguments of set_config itself, and says so in its own effects; so for the other functions of the server.
    private bool UsesSessionChange(SqlVerdict verdict)
        => verdict.Functions.Any(name => !IsKeyword(name) && !IsSystems(name) && !IsKnownAnd(_functions.Find(name), known => !known.MayChangeSession))
            || Implied(verdict).Any(known => known.MayChangeSession)
            || (!verdict.IsReadCandidate && verdict.Relations.Any(name => _writes.Find(name).Any(known => known.MayChangeSession)));

    private bool IsSystems(SqlName name)
        => (name.Name == "set_config" || SessionFunctions.EffectsOf(name.Name) != SessionEffects.None) && _functions.Find(name).Count() == 1
            && _functions.Find(new SqlName("pg_catalog", name.Name)).Any();

    private static bool IsKnownAnd(IEnumerable<CatalogObject> meant, Func<CatalogObject, bool> condition)
    {
        var any = false;
        foreach (var known in meant)
        {
            any = true;
            if (!condition(known))
            {
                return false;
            }
        }

        return any;
    }

    // What other names may mean: views and domains, functions called like an attribute, functions behind operators.
    private IEnumerable<CatalogObject> Implied(SqlVerdict verdict)
        => verdict.Relations.SelectMany(name => _relations.Find(name))
            .Concat(verdict.Relations.Where(name => name.Schema is not null).SelectMany(name => _functions.FindAny(name.Name)).Where(known => known.IsAttribute))
            .Concat(_operators.Where(known => verdict.Operators.Any(text => text.Contains(known.Key, StringComparison.Ordinal))).SelectMany(known => known.Value));
}
