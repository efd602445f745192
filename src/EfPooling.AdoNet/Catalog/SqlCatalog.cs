using System.Collections.Concurrent;

namespace EfPooling.AdoNet.Sql;

/// <summary>
/// What the connected database says, at one moment, about everything that a text can refer to. Judges texts by proof: a text that
/// is not proven harmless is suspect. Thread-safe. Immutable except for the remembered judgements and the time of the last check
/// of the database.
/// </summary>
internal sealed class SqlCatalog
{
    /// <summary>The setting that shows whether a read runs alone. A text that reads it is not a pure read.</summary>
    public const string ReadOnlyProbe = "transaction_read_only";

    private const int CacheLimit = 10_000;

    // Special syntax on servers that have it; otherwise a function of that name exists, or the text fails.
    private static readonly WordTable Keywords = new(
        "json json_array json_arrayagg json_exists json_object json_objectagg json_query json_scalar json_serialize json_value json_table merge_action");

    private readonly CatalogFlags _everything;
    private readonly Dictionary<string, CatalogFlags> _calls;
    private readonly Dictionary<string, CatalogFlags> _names;
    private readonly Dictionary<string, CatalogFlags> _written;
    private readonly Dictionary<string, CatalogFlags> _operators;
    private readonly KnownNames _functionNames;
    private readonly KnownNames _relationNames;
    private readonly bool _hasOwnSetConfig;
    private readonly ConcurrentDictionary<SqlVerdict, Judgement> _byText = new();
    private readonly ConcurrentDictionary<(TextShape Shape, bool IsKnown, bool IsReadCandidate), Judgement> _byShape = new();
    private readonly TextBudget _texts = new(CacheLimit);
    private readonly TextBudget _shapes = new(CacheLimit);
    private int _begun; // Interlocked only: checks that have begun
    private int _confirmed; // Interlocked only: the latest of them that found the database unchanged

    internal SqlCatalog(
        long version,
        IReadOnlySet<string> settingClasses,
        CatalogFlags everything,
        CatalogFlags ownTypes,
        Dictionary<string, CatalogFlags> calls,
        Dictionary<string, CatalogFlags> names,
        Dictionary<string, CatalogFlags> written,
        Dictionary<string, CatalogFlags> operators,
        KnownNames functionNames,
        KnownNames relationNames,
        bool hasOwnSetConfig)
    {
        Version = version;
        SettingClasses = settingClasses;
        _everything = everything;
        OwnTypes = ownTypes;
        _calls = calls;
        _names = names;
        _written = written;
        _operators = operators;
        _functionNames = functionNames;
        _relationNames = relationNames;
        _hasOwnSetConfig = hasOwnSetConfig;
    }

    /// <summary>The catalog of an unknown database: every text is suspect.</summary>
    public static SqlCatalog Unknown { get; } = new(0, new HashSet<string>(), CatalogFlags.Suspect | CatalogFlags.Volatile | CatalogFlags.Advances | CatalogFlags.Writes, CatalogFlags.None, [], [], [], [], new(), new(), true);

    /// <summary>Changes with everything that the catalog depends on.</summary>
    public long Version { get; }

    /// <summary>Prefixes of the settings that libraries had defined in a fresh session.</summary>
    public IReadOnlySet<string> SettingClasses { get; }

    /// <summary>
    /// What a value of one of the database's own types may cause. A parameter may have such a type although the text names none.
    /// </summary>
    public CatalogFlags OwnTypes { get; }

    public bool IsKnown => !ReferenceEquals(this, Unknown);

    /// <summary>The judgement on a text, remembered.</summary>
    public Judgement Judge(SqlVerdict verdict)
    {
        if (_byText.TryGetValue(verdict, out var judgement))
        {
            return judgement;
        }

        judgement = JudgeAnew(verdict);
        if (!_texts.TryTake(verdict.Length))
        {
            _byText.Clear();
        }

        return _byText[verdict] = judgement;
    }

    /// <summary>The judgement on a text together with the possible types of its statement's parameters.</summary>
    public Judgement Judge(SqlVerdict verdict, IParameterised statement)
        => OwnTypes == CatalogFlags.None || statement.HasBuiltInParameters ? Judge(verdict) : Judge(verdict).With(OwnTypes);

    /// <summary>
    /// Whether the text only reads, leaves nothing behind, not even until the end of its transaction, and may run again
    /// elsewhere.
    /// </summary>
    public bool IsPureRead(SqlVerdict verdict) => Judge(verdict).IsPure;

    /// <summary>Whether the text is not proven to leave the session unchanged, apart from the effects of its own words.</summary>
    public bool MayChangeSession(SqlVerdict verdict) => !Judge(verdict).IsClean;

    /// <summary>Begins a check whether the database is unchanged. If it is, all earlier judgements are confirmed.</summary>
    public int BeginCheck() => Interlocked.Increment(ref _begun);

    /// <summary>The check has found the database unchanged.</summary>
    public void Confirm(int check)
    {
        int confirmed;
        do
        {
            confirmed = Volatile.Read(ref _confirmed);
        }
        while (confirmed < check && Interlocked.CompareExchange(ref _confirmed, check, confirmed) != confirmed);
    }

    internal bool HasConfirmedSince(int check) => Volatile.Read(ref _confirmed) > check;

    private Judgement JudgeAnew(SqlVerdict verdict)
    {
        var shape = ShapeReader.Text(verdict.Text);
        var key = (shape, IsKnown: KnowsAll(verdict), verdict.IsReadCandidate);
        if (_byShape.TryGetValue(key, out var judgement))
        {
            return judgement;
        }

        var born = Volatile.Read(ref _begun);
        var flags = FlagsOf(shape) | (key.IsKnown ? CatalogFlags.None : CatalogFlags.Suspect | CatalogFlags.Writes);
        var isClean = (flags & CatalogFlags.Suspect) == 0;
        var isPure = flags == CatalogFlags.None && shape.Is(ShapeFlags.Query) && !shape.Is(ShapeFlags.SetsLocally | ShapeFlags.SeesSharing) && key.IsReadCandidate;
        var mayWrite = !key.IsReadCandidate || (flags & CatalogFlags.Writes) != 0;
        judgement = new Judgement(this, born, isClean, isPure, mayWrite, advances: !isClean || (flags & CatalogFlags.Advances) != 0);
        if (!_shapes.TryTake(shape.Length))
        {
            _byShape.Clear();
        }

        return _byShape[key] = judgement;
    }

    // A name in a place for functions or relations only must be known. Otherwise the object was created meanwhile, or is not
    // identifiable.
    private bool KnowsAll(SqlVerdict verdict)
        => verdict.Functions.All(name => _functionNames.Contains(name) || (name.Schema is null && Keywords.Contains(name.Name)))
            && verdict.Tables.All(_relationNames.Contains);

    private CatalogFlags FlagsOf(TextShape shape)
    {
        var flags = _everything;
        flags |= shape.Is(ShapeFlags.Opaque) || (shape.Is(ShapeFlags.SetsLocally) && _hasOwnSetConfig) ? CatalogFlags.Suspect | CatalogFlags.Advances | CatalogFlags.Writes : CatalogFlags.None;
        foreach (var call in shape.Calls)
        {
            flags |= _calls.GetValueOrDefault(call);
        }

        foreach (var name in shape.Names)
        {
            flags |= _names.GetValueOrDefault(name);
            flags |= shape.Is(ShapeFlags.Writes) ? _written.GetValueOrDefault(name) : CatalogFlags.None;
        }

        if (_operators.Count > 0)
        {
            foreach (var text in shape.Operators)
            {
                foreach (var (name, found) in _operators)
                {
                    flags |= text.Contains(name, StringComparison.Ordinal) ? found : CatalogFlags.None;
                }
            }
        }

        return flags;
    }
}
