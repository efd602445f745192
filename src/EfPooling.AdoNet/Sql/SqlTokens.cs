namespace EfPooling.AdoNet.Sql;

/// <summary>The tokens of a text, with the questions that a classifier asks. Questions about places outside the text are answered with no.</summary>
internal sealed class SqlTokens
{
    private readonly List<SqlToken> _tokens;
    private readonly Dictionary<int, int> _closings = [];

    public SqlTokens(string text)
    {
        Text = text;
        _tokens = SqlLexer.Read(text, out var isBroken);
        IsBroken = isBroken;
        PairParentheses();
        foreach (var token in _tokens)
        {
            IsBroken |= token.Form == TextForm.Unicode && token.Kind == SqlTokenKind.QuotedWord && SqlConstants.Name(text, token) is null;
        }
    }

    public string Text { get; }

    public int Count => _tokens.Count;

    /// <summary>Something was opened and not closed, closed and not opened, or cannot be read.</summary>
    public bool IsBroken { get; private set; }

    public SqlToken this[int index] => _tokens[index];

    public bool Is(int index, SqlTokenKind kind) => Has(index) && _tokens[index].Kind == kind;

    public bool Is(int index, char punctuation) => Is(index, SqlTokenKind.Punctuation) && Text[_tokens[index].Start] == punctuation;

    /// <summary>Whether an unquoted word stands there, whatever its case.</summary>
    public bool Is(int index, string word) => Has(index) && SqlCharacters.IsWord(Text, _tokens[index], word);

    public bool Is(int index, string first, string second) => Is(index, first) && Is(index + 1, second);

    public bool IsAny(int index, WordTable words) => Is(index, SqlTokenKind.Word) && words.Contains(Raw(index));

    public bool IsOperator(int index, string name) => Is(index, SqlTokenKind.Operator) && Raw(index) == name;

    /// <summary>Whether a name stands there: a word, quoted or not.</summary>
    public bool IsName(int index) => Has(index) && _tokens[index].Kind is SqlTokenKind.Word or SqlTokenKind.QuotedWord;

    public string Raw(int index) => Text.Substring(_tokens[index].Start, _tokens[index].Length);

    /// <summary>The name that stands there, without quotes, in lower case if it had none.</summary>
    public string Name(int index) => (Has(index) ? SqlConstants.Name(Text, _tokens[index]) : null) ?? "";

    /// <summary>The value of the string constant that stands there; null if there is none or its value takes more than quotes to read.</summary>
    public string? Constant(int index) => Is(index, SqlTokenKind.Text) ? SqlConstants.Value(Text, _tokens[index]) : null;

    /// <summary>Where the parenthesis or bracket that opens there is closed; the end of the text if it is not.</summary>
    public int Close(int index) => _closings.TryGetValue(index, out var closing) ? closing : Count;

    /// <summary>The last part of the dotted name that starts there.</summary>
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
        var open = new Stack<int>();
        for (var i = 0; i < Count; i++)
        {
            if (Is(i, '(') || Is(i, '['))
            {
                open.Push(i);
            }
            else if (Is(i, ')') || Is(i, ']'))
            {
                if (open.Count == 0 || Is(open.Peek(), '(') != Is(i, ')'))
                {
                    IsBroken = true;
                    continue;
                }

                _closings[open.Pop()] = i;
            }
        }

        IsBroken |= open.Count > 0;
    }
}
