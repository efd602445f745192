namespace EfPooling.AdoNet.Sql;

/// <summary>
/// The tokens of a text, with the questions of a classifier. A question about a place outside the text is answered with no.
/// </summary>
internal sealed class SqlTokens
{
    /// <summary>
    /// A longer text is broken and not read. No one writes such a text by hand, and a reset after it costs less than sending it.
    /// </summary>
    public const int MostCharacters = 1 << 20;

    /// <summary>Enough for 65,535 parameters, the most that a statement may have, each in a row of its own.</summary>
    public const int MostTokens = 1 << 18;

    private const int LongestKeyword = 32;

    private readonly List<SqlToken> _tokens;
    private int[] _closings = []; // by the place of the opening token; empty until there is one

    /// <param name="text">The text.</param>
    /// <param name="most">A text with more tokens is broken, and has none.</param>
    public SqlTokens(string text, int most = MostTokens)
    {
        Text = text;
        if (text.Length > MostCharacters || text.Contains('\0')) // The server reads up to a zero.
        {
            (_tokens, IsBroken) = ([], true);
            return;
        }

        _tokens = SqlLexer.Read(text, out var isBroken, Math.Min(most, MostTokens));
        IsBroken = isBroken;
        if (isBroken && _tokens.Count >= most)
        {
            _tokens = [];
        }

        PairParentheses();
        foreach (var token in _tokens)
        {
            IsBroken |= token.Form == TextForm.Unicode && token.Kind == SqlTokenKind.QuotedWord && !SqlConstants.IsName(text, token);
        }
    }

    public string Text { get; }

    public int Count => _tokens.Count;

    /// <summary>Whether a parenthesis or bracket has no counterpart, or the text cannot be read.</summary>
    public bool IsBroken { get; private set; }

    public SqlToken this[int index] => _tokens[index];

    public bool Is(int index, SqlTokenKind kind) => Has(index) && _tokens[index].Kind == kind;

    public bool Is(int index, char punctuation) => Is(index, SqlTokenKind.Punctuation) && Text[_tokens[index].Start] == punctuation;

    /// <summary>Whether an unquoted word is at this place, whatever its case.</summary>
    public bool Is(int index, string word) => Has(index) && SqlCharacters.IsWord(Text, _tokens[index], word);

    public bool Is(int index, string first, string second) => Is(index, first) && Is(index + 1, second);

    public bool IsAny(int index, WordTable words) => Is(index, SqlTokenKind.Word) && words.Contains(Text, _tokens[index].Start, _tokens[index].Length);

    public bool IsOperator(int index, string name) => Is(index, SqlTokenKind.Operator) && _tokens[index].Length == name.Length
        && string.CompareOrdinal(Text, _tokens[index].Start, name, 0, name.Length) == 0;

    /// <summary>Whether a name is at this place: a word, quoted or not.</summary>
    public bool IsName(int index) => Has(index) && _tokens[index].Kind is SqlTokenKind.Word or SqlTokenKind.QuotedWord;

    public string Raw(int index) => SqlCharacters.Part(Text, _tokens[index].Start, _tokens[index].Length);

    /// <summary>
    /// The unquoted word at this place, in lower case; empty if there is none, or if it is longer than any keyword.
    /// </summary>
    public string Keyword(int index)
        => Is(index, SqlTokenKind.Word) && _tokens[index].Length <= LongestKeyword ? SqlCharacters.Fold(Text, _tokens[index].Start, _tokens[index].Length) : "";

    /// <summary>
    /// The name at this place, without quotes, in lower case if it was not quoted, truncated as the server does.
    /// </summary>
    public string Name(int index) => (Has(index) ? SqlConstants.Name(Text, _tokens[index]) : null) ?? "";

    /// <summary>The value of the string constant at this place; null if there is none or its value is not certain.</summary>
    public string? Constant(int index) => Is(index, SqlTokenKind.Text) ? SqlConstants.Value(Text, _tokens[index]) : null;

    /// <summary>Where the parenthesis or bracket that opens at this place is closed; the end of the text if it is not.</summary>
    public int Close(int index) => index >= 0 && index < _closings.Length && _closings[index] > index ? _closings[index] : Count;

    /// <summary>The last part of the dotted name that starts at this place.</summary>
    public int EndOfName(int index)
    {
        while (Is(index + 1, '.') && IsName(index + 2))
        {
            index += 2;
        }

        return index;
    }

    private bool Has(int index) => index >= 0 && index < _tokens.Count;

    private void PairParentheses()
    {
        var last = -1; // the last open one; each remembers the one before it, as its complement
        for (var i = 0; i < Count; i++)
        {
            if (Is(i, '(') || Is(i, '['))
            {
                _closings = _closings.Length == 0 ? new int[Count] : _closings;
                _closings[i] = ~last;
                last = i;
            }
            else if (Is(i, ')') || Is(i, ']'))
            {
                if (last < 0 || Is(last, '(') != Is(i, ')'))
                {
                    IsBroken = true;
                    continue;
                }

                var before = ~_closings[last];
                _closings[last] = i;
                last = before;
            }
        }

        IsBroken |= last >= 0;
        while (last >= 0)
        {
            var before = ~_closings[last];
            _closings[last] = 0;
            last = before;
        }
    }
}
