namespace EfPooling.AdoNet.Sql;

/// <summary>
/// The findings in a text so far, and how much of it may still be read. A text that is too long, too deep or too full is unknown,
/// so the effort for it is bounded. One thread only.
/// </summary>
internal sealed class VerdictBuilder
{
    /// <summary>Blocks within blocks: a DO that executes a constant with a DO. Real texts have a few at most.</summary>
    public const int MostDepth = 32;

    /// <summary>Different names, of all kinds together. Each one lives as long as the verdict.</summary>
    public const int MostNames = 10_000;

    public const int MostStatements = 10_000;

    private readonly HashSet<string> _settings = [];
    private int _depth;
    private int _statements;
    private int _names;
    private int _tokensLeft = SqlTokens.MostTokens;
    private int _charactersLeft = 2 * SqlTokens.MostCharacters; // of the text and of the texts within it

    public SessionEffects Effects { get; set; }

    public bool ResetsAllSettings { get; set; }

    public bool HasTransactionObject { get; set; }

    /// <summary>Whether the text before this place may have advanced a sequence.</summary>
    public bool AdvancesSequence { get; set; }

    /// <summary>Whether it has a part that no plain read has: a change of data, a locking clause, INTO.</summary>
    public bool DoesMoreThanRead { get; set; }

    public bool HasInto { get; set; }

    public List<string> Settings { get; } = [];

    public HashSet<SqlName> Functions { get; } = [];

    /// <summary>The names in places for relations only, without the names of common table expressions.</summary>
    public HashSet<SqlName> Tables { get; } = [];

    /// <summary>Begins to read a text, or one within it.</summary>
    /// <returns>Null if it is too much. It is then unknown, and must not be closed with <see cref="Close"/>.</returns>
    public SqlTokens? Open(string text)
    {
        if (_depth == MostDepth || text.Length > _charactersLeft || _tokensLeft == 0)
        {
            Add(SessionEffects.Unknown);
            return null;
        }

        _depth++;
        _charactersLeft -= text.Length;
        var tokens = new SqlTokens(text, _tokensLeft);
        _tokensLeft = tokens.IsBroken && tokens.Count == 0 ? 0 : _tokensLeft - tokens.Count;
        return tokens;
    }

    public void Close() => _depth--;

    /// <returns>False if there were too many statements. The text is then unknown.</returns>
    public bool TakeStatement()
    {
        if (_statements++ < MostStatements)
        {
            return true;
        }

        Add(SessionEffects.Unknown);
        return false;
    }

    public void Add(SessionEffects effects) => Effects |= effects;

    /// <summary>Records a setting that changes for the session.</summary>
    public void AddSetting(string name)
    {
        name = SqlSetting.NameOf(name);
        if (name == SqlSetting.Seed)
        {
            Add(SessionEffects.FunctionState);
            return;
        }

        Add(SessionEffects.Settings);
        if (AddName(_settings, name))
        {
            Settings.Add(name);
        }
    }

    public void AddFunction(SqlName name) => AddName(Functions, name);

    public void AddTable(SqlName name) => AddName(Tables, name);

    private bool AddName<T>(HashSet<T> names, T name)
    {
        if (_names >= MostNames)
        {
            Add(SessionEffects.Unknown);
            return false;
        }

        var isNew = names.Add(name);
        _names += isNew ? 1 : 0;
        return isNew;
    }
}
