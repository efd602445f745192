namespace EfPooling.AdoNet.Sql;

/// <summary>
/// Builds a catalog from the rows of <see cref="CatalogQuery"/>. An object is harmless only if every object that it can reach is:
/// built in and reviewed, proven by its own definition, or trusted. One thread only.
/// </summary>
internal sealed class CatalogBuilder(TrustedObjects trusted)
{
    private const string SystemSchema = "pg_catalog";
    private const int IsVolatile = 1;
    private const int IsAttribute = 2;
    private const int ChangesSettings = 4;
    private const int IsAggregate = 8;
    private const int IsForeign = 1;
    private static readonly string[] Constructors = ["range_constructor2", "range_constructor3", "multirange_constructor0", "multirange_constructor1", "multirange_constructor2"];

    // Operators that many words stand for (IN, BETWEEN, DISTINCT, ORDER BY, JOIN … USING), so that any text may use them.
    private static readonly HashSet<string> Implied = new(StringComparer.Ordinal) { "=", "<>", "<", ">", "<=", ">=" };

    private readonly Dictionary<uint, CatalogNode> _functions = [];
    private readonly Dictionary<uint, CatalogNode> _reads = []; // relations
    private readonly Dictionary<uint, CatalogNode> _writes = [];
    private readonly Dictionary<uint, CatalogNode> _types = [];
    private readonly Dictionary<uint, string> _extensions = []; // of functions
    private readonly HashSet<uint> _trusted = [];
    private readonly KnownNames _functionNames = new();
    private readonly KnownNames _relationNames = new();
    private readonly CatalogNames _calls = new();
    private readonly CatalogNames _names = new();
    private readonly CatalogNames _written = new();
    private readonly CatalogNames _operators = new();
    private readonly CatalogNode _everything = new(); // what texts may reach without naming it
    private readonly List<CatalogNode> _builtIn = [];
    private readonly List<(CatalogNode User, CatalogRow Row)> _definitions = [];
    private readonly List<CatalogRow> _unnamed = []; // operators, casts and support functions
    private readonly List<CatalogRow> _uses = []; // connected when all nodes exist
    private HashSet<string> _keywords = [];
    private HashSet<string> _settingClasses = [];
    private long _version;
    private bool _hasOwnSetConfig;

    public void Add(in CatalogRow row)
    {
        switch (row.Kind)
        {
            case "built-in":
                AddBuiltIn(row);
                break;
            case "system relations":
                AddSystemRelations(row);
                break;
            case "keyword":
                _keywords = new(row.Names, StringComparer.Ordinal);
                break;
            case "setting class":
                _settingClasses = new(row.Names, StringComparer.Ordinal);
                break;
            case "version":
                _version = long.Parse(row.Name!, System.Globalization.CultureInfo.InvariantCulture);
                break;
            case "function":
                AddFunction(row);
                break;
            case "extension":
                _extensions[row.Id] = row.Name!;
                break;
            case "relation":
                AddRelation(row);
                break;
            case "identity":
                Get(_writes, row.Id).Flags |= CatalogFlags.Advances;
                break;
            case "inherits":
                Get(_reads, row.Id).Use(Get(_reads, row.Other));
                Get(_writes, row.Id).Use(Get(_writes, row.Other));
                Get(_writes, row.Other).Use(Get(_writes, row.Id)); // The partition constraint, and cloned triggers.
                break;
            case "cascades":
                Get(_writes, row.Id).Use(Get(_writes, row.Other));
                break;
            case "type":
                _names.Add(row.Name!, Get(_types, row.Id));
                if (row.Other != 0)
                {
                    Get(_types, row.Id).Use(Get(_reads, row.Other));
                }

                break;
            case "type default":
                _definitions.Add((Get(_types, row.Id), row));
                break;
            case "operator" or "support" or "cast":
                _unnamed.Add(row);
                break;
            default:
                _uses.Add(row);
                break;
        }
    }

    public SqlCatalog Build()
    {
        foreach (var row in _uses)
        {
            AddUse(row);
        }

        foreach (var row in _unnamed)
        {
            AddUnnamed(row);
        }

        foreach (var (user, row) in _definitions)
        {
            Connect(user, row);
        }

        CatalogNode.Spread(_functions.Values.Concat(_reads.Values).Concat(_writes.Values).Concat(_types.Values).Concat(_builtIn));
        return new SqlCatalog(
            _version, _settingClasses, _everything.Flags, _types.Values.Aggregate(CatalogFlags.None, static (flags, type) => flags | type.Flags), _calls.ToFlags(), _names.ToFlags(), _written.ToFlags(), _operators.ToFlags(), _functionNames, _relationNames, _hasOwnSetConfig);
    }

    // "read uses function" and similar rows.
    private void AddUse(CatalogRow row)
    {
        var words = row.Kind.Split(" uses ");
        switch (words[0])
        {
            case "read":
                AddUse(Get(_reads, row.Id), words[1], row, writes: false);
                break;
            case "write":
                AddUse(Get(_writes, row.Id), words[1], row, writes: true);
                break;
            case "view":
                AddUse(Get(_reads, row.Id), words[1], row, writes: false);
                AddUse(Get(_writes, row.Id), words[1], row, writes: true); // Data written to it goes to its relations.
                break;
            case "type":
                AddUse(Get(_types, row.Id), words[1], row, writes: false);
                break;
            case "function" when _trusted.Contains(row.Id):
                break;
            case "function":
                AddUse(Get(_functions, row.Id), words[1], row, writes: true); // Its uses do not tell which of them its body may write to.
                break;
            default:
                throw new InvalidOperationException($"Unknown row '{row.Kind}' of the catalog.");
        }
    }

    private void AddUse(CatalogNode user, string used, CatalogRow row, bool writes)
    {
        user.Use(_everything);
        switch (used)
        {
            case "function":
                user.Use(Get(_functions, row.Other));
                break;
            case "type":
                user.Use(Get(_types, row.Other));
                break;
            case "relation":
                user.Use(Get(_reads, row.Other));
                user.Use(writes ? [Get(_writes, row.Other)] : []);
                break;
            case "built-in":
                user.Use(row.Names.SelectMany(_calls.Find));
                break;
            case "system relation":
                user.Use(row.Names.SelectMany(_names.Find));
                user.Use(writes ? row.Names.SelectMany(_written.Find) : []);
                break;
            default:
                throw new InvalidOperationException($"Unknown row '{row.Kind}' of the catalog.");
        }
    }

    private static CatalogNode Get(Dictionary<uint, CatalogNode> nodes, uint id)
    {
        if (!nodes.TryGetValue(id, out var node))
        {
            nodes[id] = node = new CatalogNode();
        }

        return node;
    }

    private void AddBuiltIn(CatalogRow row)
    {
        var volatiles = new HashSet<string>(row.Texts, StringComparer.Ordinal);
        foreach (var name in row.Names)
        {
            var flags = BuiltInFunctions.FlagsOf(name, volatiles.Contains(name));
            _calls.Add(name, BuiltIn(flags));
            _functionNames.Add(SystemSchema, name);
        }
    }

    // The server's own views show the state of the session or of others. Writing to pg_settings changes settings.
    private void AddSystemRelations(CatalogRow row)
    {
        var views = new HashSet<string>(row.Texts, StringComparer.Ordinal);
        foreach (var name in row.Names)
        {
            _relationNames.Add(SystemSchema, name);
            _relationNames.Add("information_schema", name);
            _written.Add(name, BuiltIn(name.StartsWith("pg_", StringComparison.Ordinal) ? CatalogFlags.Suspect : CatalogFlags.None));
            _names.Add(name, BuiltIn(views.Contains(name) ? CatalogFlags.Volatile : CatalogFlags.None));
        }

        _names.Add("information_schema", BuiltIn(CatalogFlags.Volatile));
    }

    private CatalogNode BuiltIn(CatalogFlags flags)
    {
        var node = new CatalogNode { Flags = flags };
        _builtIn.Add(node);
        return node;
    }

    private void AddFunction(CatalogRow row)
    {
        var function = Get(_functions, row.Id);
        _calls.Add(row.Name!, function);
        _functionNames.Add(row.Schema!, row.Name!);
        if ((row.Flags & IsAttribute) != 0)
        {
            _names.Add(row.Name!, function);
        }

        function.Flags |= (row.Flags & IsVolatile) != 0 ? CatalogFlags.Volatile : CatalogFlags.None;
        _hasOwnSetConfig |= row.Name == "set_config";
        if (trusted.Contains(row.Schema!, row.Name!))
        {
            _trusted.Add(row.Id);
            function.Flags |= CatalogFlags.Writes; // Trusted to leave the session unchanged. That says nothing about the data.
        }
        else if ((row.Flags & IsAggregate) == 0)
        {
            _definitions.Add((function, row));
            function.Flags |= (row.Flags & ChangesSettings) != 0 ? CatalogFlags.Suspect : CatalogFlags.None;
        }
    }

    private void AddRelation(CatalogRow row)
    {
        var (read, write) = (Get(_reads, row.Id), Get(_writes, row.Id));
        write.Use(read);
        _relationNames.Add(row.Schema!, row.Name!);
        _names.Add(row.Name!, read);
        _written.Add(row.Name!, write);
        read.Flags |= (row.Flags & IsForeign) != 0 ? CatalogFlags.Suspect | CatalogFlags.Volatile | CatalogFlags.Writes : CatalogFlags.None;
    }

    // With a user's type, they are reached only through the type's name or a column of it. Without, through their sign, or
    // through syntax without a sign.
    private void AddUnnamed(CatalogRow row)
    {
        var function = Get(_functions, row.Id);
        var own = row.Texts.Select(id => uint.Parse(id, System.Globalization.CultureInfo.InvariantCulture)).Where(id => _types.ContainsKey(id)).ToList();
        foreach (var type in own)
        {
            _types[type].Use(function);
        }

        if (own.Count == 0 && row.Kind == "operator")
        {
            _operators.Add(row.Name!, function);
        }

        if (own.Count == 0 && (row.Kind != "operator" || Implied.Contains(row.Name!)))
        {
            _everything.Use(function);
        }
    }

    private void Connect(CatalogNode user, CatalogRow row)
    {
        var shape = row.Kind == "function" ? ShapeOf(user, row) : ShapeReader.Definition(row.Text ?? "");
        if (shape is null)
        {
            return;
        }

        user.Flags |= shape.Is(ShapeFlags.Opaque) ? CatalogFlags.Suspect | CatalogFlags.Volatile : CatalogFlags.None;
        user.Flags |= shape.Is(ShapeFlags.Opaque | ShapeFlags.Writes) ? CatalogFlags.Writes : CatalogFlags.None;
        user.Flags |= shape.Is(ShapeFlags.SeesSharing) ? CatalogFlags.Volatile : CatalogFlags.None;
        user.Use(_everything);
        foreach (var call in shape.Calls)
        {
            user.Use(_calls.Find(call));
        }

        foreach (var name in shape.Names)
        {
            user.Use(_names.Find(name));
            user.Use(shape.Is(ShapeFlags.Writes) ? _written.Find(name) : []);
        }

        foreach (var text in shape.Operators)
        {
            user.Use(_operators.FindWithin(text));
        }
    }

    // Null: there is nothing to read, and the flags of the function are complete.
    private TextShape? ShapeOf(CatalogNode function, CatalogRow row)
    {
        switch (row.Flags >> 4)
        {
            case 1 when row.Text is null:
                function.Flags |= WritesIfVolatile(row);
                return null; // Its tree has told what it uses.
            case 1:
                return ShapeReader.Body(row.Text!);
            case 2:
                return new ProcedureShapeReader(_keywords).Read(row.Text ?? "");
            case 4 when Constructors.Contains(row.Text, StringComparer.Ordinal):
            case 3 or 4 when HarmlessExtensions.Contains(_extensions.GetValueOrDefault(row.Id), row.Name!):
                function.Flags |= WritesIfVolatile(row);
                return null;
            default:
                function.Flags |= CatalogFlags.Suspect | CatalogFlags.Writes;
                return null;
        }
    }

    // Only the server can vouch for unreadable functions: it lets no function write unless it is volatile.
    private static CatalogFlags WritesIfVolatile(CatalogRow row) => (row.Flags & IsVolatile) != 0 ? CatalogFlags.Writes : CatalogFlags.None;
}
