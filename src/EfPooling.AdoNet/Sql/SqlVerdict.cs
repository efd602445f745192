namespace EfPooling.AdoNet.Sql;

/// <summary>
/// What can be known about an SQL text by reading it: what it is, its effects on the session, whether it may be a plain read.
/// Errs on the safe side. The effects of functions, views and triggers are not in the text; see <c>SqlCatalog</c>. Immutable.
/// </summary>
internal sealed class SqlVerdict
{
    // The size of objects, in characters.
    private const int CharactersOfVerdict = 150;
    private const int CharactersOfStatement = 10;
    private const int CharactersOfName = 20;

    private static readonly VerdictCache Cache = new();

    private readonly SqlStatement[] _statements;
    private readonly long _kinds;

    private SqlVerdict(string text, VerdictBuilder found, List<SqlStatement> statements)
    {
        Text = text;
        _statements = [.. statements];
        foreach (var statement in _statements)
        {
            _kinds |= 1L << (int)statement.Kind;
            Kind = Kind == StatementKind.None || Kind == statement.Kind ? statement.Kind : StatementKind.Several;
        }

        Effects = found.Effects;
        Settings = [.. found.Settings];
        ResetsAllSettings = found.ResetsAllSettings;
        HasTransactionObject = found.HasTransactionObject;
        Functions = [.. found.Functions];
        Tables = [.. found.Tables];
        Length = CharactersOfVerdict + Text.Length + (_statements.Length * CharactersOfStatement)
            + CharactersOf(Functions) + CharactersOf(Tables) + CharactersOf(Settings);
        CanShareTransaction = _kinds != 0 && (_kinds & ~Sharing) == 0;
        IsReadCandidate = _statements.Length == 1 && Kind == StatementKind.Select && Effects == SessionEffects.None && !found.DoesMoreThanRead;
    }

    public string Text { get; }

    /// <summary>The kind of the only statement, or of all statements if they are of one kind.</summary>
    public StatementKind Kind { get; }

    public int Statements => _statements.Length;

    /// <summary>Whether the first statement is ROLLBACK or ABORT, in any form.</summary>
    public bool IsRollback
        => _statements.Length > 0 && Text.AsSpan(_statements[0].Start) is var first
            && (first.StartsWith("ROLLBACK", StringComparison.OrdinalIgnoreCase) || first.StartsWith("ABORT", StringComparison.OrdinalIgnoreCase));

    /// <summary>The statements in order.</summary>
    public IReadOnlyList<SqlStatement> Parts => _statements;

    /// <summary>How much the verdict keeps alive, text and names, in characters of two bytes each.</summary>
    public int Length { get; }

    public SessionEffects Effects { get; }

    /// <summary>
    /// The settings changed, in lower case, each once, in order. Without those of <see cref="SessionEffects.UnnamedSettings"/>.
    /// </summary>
    public IReadOnlyList<string> Settings { get; }

    /// <summary>Whether it contains RESET ALL.</summary>
    public bool ResetsAllSettings { get; }

    /// <summary>
    /// Whether it creates temporary tables that are dropped with the transaction. It then needs a transaction to be of use, but
    /// no session.
    /// </summary>
    public bool HasTransactionObject { get; }

    /// <summary>
    /// Whether every statement is a query or changes data (SELECT, VALUES, TABLE, INSERT, UPDATE, DELETE, MERGE), so that it may
    /// share an implicit transaction with a <c>set_config</c> sent before it.
    /// </summary>
    public bool CanShareTransaction { get; }

    /// <summary>
    /// Whether it is one query that changes nothing by its own words: no locking clause, no INTO, no common table expression that
    /// changes data, no effect. Its functions and relations decide the rest.
    /// </summary>
    public bool IsReadCandidate { get; }

    /// <summary>All names that are called like a function.</summary>
    public IReadOnlyList<SqlName> Functions { get; }

    /// <summary>All names in places for relations only. Never a common table expression of the text.</summary>
    public IReadOnlyList<SqlName> Tables { get; }

    private static long Sharing
        => (1L << (int)StatementKind.Select) | (1L << (int)StatementKind.SelectInto) | (1L << (int)StatementKind.Insert)
            | (1L << (int)StatementKind.Update) | (1L << (int)StatementKind.Delete) | (1L << (int)StatementKind.Merge);

    /// <summary>The verdict on a text, remembered. Thread-safe.</summary>
    public static SqlVerdict Of(string sql) => Cache.Get(sql);

    /// <summary>The verdict on a text, not remembered.</summary>
    public static SqlVerdict Read(string sql)
    {
        var found = new VerdictBuilder();
        return new SqlVerdict(sql, found, ScriptReader.Read(sql, found));
    }

    /// <summary>The verdict on the body of a PL/pgSQL function: its effects and names. It has no statements of its own.</summary>
    public static SqlVerdict ReadProcedure(string body)
    {
        var found = new VerdictBuilder();
        ProcedureReader.Read(body, found);
        return new SqlVerdict(body, found, []);
    }

    /// <summary>Whether one of the statements is of this kind.</summary>
    public bool Has(StatementKind kind) => (_kinds & (1L << (int)kind)) != 0;

    /// <summary>
    /// The first statement with any of these effects, for messages: one line, about 120 characters, long constants left out.
    /// </summary>
    /// <returns>Null if there is none.</returns>
    public string? StatementWith(SessionEffects effect)
    {
        foreach (var statement in _statements)
        {
            if ((statement.Effects & effect) != 0)
            {
                return SqlText.Shorten(Text.Substring(statement.Start, statement.End - statement.Start));
            }
        }

        return null;
    }

    private static int CharactersOf(IReadOnlyList<string> names) => names.Sum(name => CharactersOfName + name.Length);

    private static int CharactersOf(IReadOnlyList<SqlName> names)
        => names.Sum(name => CharactersOfName + name.Name.Length + (string.IsNullOrEmpty(name.Schema) ? 0 : CharactersOfName + name.Schema!.Length));
}
