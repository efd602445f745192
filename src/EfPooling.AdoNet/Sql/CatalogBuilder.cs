using System.Data.Common;

namespace EfPooling.AdoNet.Sql;

/// <summary>Makes a catalog from the answers to <see cref="CatalogQueries"/>, row by row. The sources of functions are read and not kept.</summary>
internal sealed class CatalogBuilder(Version server)
{
    private const string SystemSchema = "pg_catalog";

    private readonly CatalogNames _functions = new();
    private readonly CatalogNames _relations = new();
    private readonly CatalogNames _writes = new(); // what writing to a relation brings about
    private readonly Dictionary<string, List<CatalogObject>> _operators = new(StringComparer.Ordinal);
    private readonly List<(CatalogObject User, SqlVerdict Body)> _bodies = [];

    /// <summary>The readers of the rows, in the order of the queries.</summary>
    public IReadOnlyList<(string Sql, Action<DbDataReader> Read)> Queries =>
    [
        (CatalogQueries.SystemFunctions, ReadSystemFunction),
        (CatalogQueries.UserFunctions(server), ReadUserFunction),
        (CatalogQueries.Relations, ReadRelation),
        (CatalogQueries.Uses, ReadUse),
        (CatalogQueries.Writes, ReadWrite),
        (CatalogQueries.Operators, ReadOperator),
    ];

    public SqlCatalog Build()
    {
        foreach (var (user, body) in _bodies)
        {
            Connect(user, body);
        }

        Spread(_functions.All().Concat(_relations.All()), known => known.IsVolatile, known => known.IsVolatile = true); // Reading sets off no trigger.
        Spread(All(), known => known.MayChangeSession, known => known.MayChangeSession = true);
        foreach (var known in All())
        {
            known.ForgetUses();
        }

        return new SqlCatalog(_functions, _relations, _writes, _operators);
    }

    private IEnumerable<CatalogObject> All() => _functions.All().Concat(_relations.All()).Concat(_writes.All());

    private void ReadSystemFunction(DbDataReader row)
    {
        var name = row.GetString(0);
        var function = _functions.Add(SystemSchema, name);
        function.IsVolatile = row.GetBoolean(1);
        function.MayChangeSession = name == "set_config" || SessionFunctions.EffectsOf(name) != SessionEffects.None;
    }

    private void ReadUserFunction(DbDataReader row)
    {
        var name = row.GetString(1);
        var function = _functions.Add(row.GetString(0), name);
        function.IsVolatile |= row.GetBoolean(2);
        function.IsAttribute |= row.GetBoolean(5);
        function.MayChangeSession |= SessionFunctions.EffectsOf(name) != SessionEffects.None;
        foreach (var called in (string[])row.GetValue(6))
        {
            var dot = called.IndexOf('.', StringComparison.Ordinal);
            function.Use(_functions.Add(called[..dot], called[(dot + 1)..]));
        }

        var language = row.GetString(3);
        if (row.IsDBNull(4))
        {
            function.MayChangeSession |= language is not ("c" or "internal");
        }
        else
        {
            var source = row.GetString(4);
            function.IsVolatile |= source.Contains(SqlCatalog.TellTale, StringComparison.OrdinalIgnoreCase);
            _bodies.Add((function, language == "sql" ? SqlVerdict.Read(Body(source)) : SqlVerdict.ReadProcedure(source)));
        }
    }

    // The server prints BEGIN ATOMIC …; END and RETURN …
    private static string Body(string source)
    {
        var text = source.Trim();
        return text.StartsWith("BEGIN ATOMIC", StringComparison.Ordinal) && text.EndsWith("END", StringComparison.Ordinal) ? text["BEGIN ATOMIC".Length..^"END".Length]
            : text.StartsWith("RETURN ", StringComparison.Ordinal) ? "SELECT " + text["RETURN ".Length..]
            : source;
    }

    private void ReadRelation(DbDataReader row)
    {
        var (schema, kind) = (row.GetString(0), row.GetString(2));
        var relation = _relations.Add(schema, row.GetString(1));
        relation.IsVolatile |= kind == "f" || (kind == "v" && schema is (SystemSchema or "information_schema"));
    }

    private void ReadUse(DbDataReader row)
    {
        var (schema, name, isFunction) = (row.GetString(2), row.GetString(3), row.GetBoolean(4));
        _relations.Add(row.GetString(0), row.GetString(1)).Use((isFunction ? _functions : _relations).Add(schema, name));
        if (!isFunction)
        {
            _writes.Add(row.GetString(0), row.GetString(1)).Use(_writes.Add(schema, name)); // Through a view, or to a partition.
        }
    }

    private void ReadWrite(DbDataReader row)
        => _writes.Add(row.GetString(0), row.GetString(1)).Use((row.GetBoolean(4) ? _functions : _writes).Add(row.GetString(2), row.GetString(3)));

    private void ReadOperator(DbDataReader row)
    {
        var name = row.GetString(0);
        if (!_operators.TryGetValue(name, out var functions))
        {
            _operators[name] = functions = [];
        }

        functions.Add(_functions.Add(row.GetString(1), row.GetString(2)));
    }

    // The verdict on a body knows its effects; what it calls is known now that all names are.
    private void Connect(CatalogObject user, SqlVerdict body)
    {
        user.MayChangeSession |= body.OwnEffects != SessionEffects.None;
        foreach (var name in body.Functions)
        {
            var found = name.Name == "set_config" ? [] : _functions.Find(name).ToList(); // Its arguments have been read.
            user.MayChangeSession |= found.Count == 0 && name.Name != "set_config" && !SqlCatalog.IsKeyword(name);
            user.Use(found);
        }

        foreach (var relation in body.Relations)
        {
            user.Use(_relations.Find(relation));
            user.Use(body.IsReadCandidate ? [] : _writes.Find(relation));
            user.Use(relation.Schema is null ? [] : _functions.FindAny(relation.Name).Where(function => function.IsAttribute));
        }

        foreach (var found in _operators.Where(known => body.Operators.Any(text => text.Contains(known.Key, StringComparison.Ordinal))))
        {
            user.Use(found.Value);
        }
    }

    // From what is used to what uses it, until nothing changes. A stable function that calls a volatile one counts as volatile, too.
    private static void Spread(IEnumerable<CatalogObject> objects, Func<CatalogObject, bool> has, Action<CatalogObject> give)
    {
        var users = new Dictionary<CatalogObject, List<CatalogObject>>();
        foreach (var user in objects)
        {
            foreach (var used in user.Uses)
            {
                if (!users.TryGetValue(used, out var list))
                {
                    users[used] = list = [];
                }

                list.Add(user);
            }
        }

        var reached = new Queue<CatalogObject>(objects.Where(has));
        while (reached.TryDequeue(out var used))
        {
            foreach (var user in users.GetValueOrDefault(used) ?? [])
            {
                if (!has(user))
                {
                    give(user);
                    reached.Enqueue(user);
                }
            }
        }
    }
}
