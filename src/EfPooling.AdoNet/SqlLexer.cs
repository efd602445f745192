namespace EfPooling.AdoNet;

/// <summary>
/// Walks the tokens of a PostgreSQL text: words (unquoted or quoted identifiers and keywords) and single punctuation characters.
/// Comments (nested too), string constants (escaped and dollar-quoted too) and numbers are skipped.
/// See "Lexical Structure" in the PostgreSQL manual.
/// </summary>
internal ref struct SqlLexer(ReadOnlySpan<char> sql)
{
    private readonly ReadOnlySpan<char> _sql = sql;
    private int _position;
    private bool _isAfterEscapeString;

    /// <summary>The token found by <see cref="Next"/>: a word without its quotes, or one punctuation character.</summary>
    public ReadOnlySpan<char> Token { get; private set; }

    public bool IsWord { get; private set; }

    /// <returns>Whether there was another token.</returns>
    public bool Next()
    {
        while (_position < _sql.Length)
        {
            var start = _position;
            var current = _sql[_position++];
            var next = _position < _sql.Length ? _sql[_position] : '\0';
            switch (current)
            {
                case '-' when next == '-':
                    SkipLine();
                    break;
                case '/' when next == '*':
                    SkipBlockComment();
                    break;
                case '\'':
                    SkipString(backslashEscapes: _isAfterEscapeString); // Constants on several lines are one, of the first one's kind.
                    break;
                case 'e' or 'E' when next == '\'':
                    _position++;
                    SkipString(backslashEscapes: true);
                    _isAfterEscapeString = true;
                    break;
                case '"':
                    return QuotedWord();
                case '$' when TrySkipDollarQuote(start):
                    break;
                case var c when char.IsWhiteSpace(c):
                    break;
                case var c when char.IsAsciiDigit(c):
                    SkipWordCharacters();
                    _isAfterEscapeString = false;
                    break;
                case var c when IsWordStart(c):
                    SkipWordCharacters();
                    return Found(_sql[start.._position], isWord: true);
                default:
                    return Found(_sql[start.._position], isWord: false);
            }
        }

        Token = [];
        IsWord = false;
        return false;
    }

    public readonly bool Is(string word) => IsWord && Token.Equals(word, StringComparison.OrdinalIgnoreCase);

    private bool Found(ReadOnlySpan<char> token, bool isWord)
    {
        Token = token;
        IsWord = isWord;
        _isAfterEscapeString = false;
        return true;
    }

    private static bool IsWordStart(char c) => char.IsAsciiLetter(c) || c == '_' || c >= 0x80;

    private void SkipWordCharacters()
    {
        while (_position < _sql.Length && (IsWordStart(_sql[_position]) || char.IsAsciiDigit(_sql[_position]) || _sql[_position] == '$'))
        {
            _position++;
        }
    }

    private void SkipLine()
    {
        var length = _sql[_position..].IndexOfAny('\n', '\r');
        _position = length < 0 ? _sql.Length : _position + length;
    }

    private void SkipBlockComment()
    {
        var depth = 1;
        for (_position++; depth > 0 && _position < _sql.Length; _position++)
        {
            var rest = _sql[_position..];
            if (rest.StartsWith("/*"))
            {
                depth++;
                _position++;
            }
            else if (rest.StartsWith("*/"))
            {
                depth--;
                _position++;
            }
        }
    }

    // A doubled quote ends one string and starts the next, which skips the same text.
    private void SkipString(bool backslashEscapes)
    {
        while (_position < _sql.Length)
        {
            var c = _sql[_position++];
            if (c == '\'')
            {
                if (_position >= _sql.Length || _sql[_position] != '\'')
                {
                    return;
                }

                _position++;
            }
            else if (c == '\\' && backslashEscapes)
            {
                _position++;
            }
        }
    }

    private bool QuotedWord()
    {
        var start = _position;
        var length = _sql[start..].IndexOf('"');
        _position = length < 0 ? _sql.Length : start + length + 1;
        return Found(length < 0 ? _sql[start..] : _sql.Slice(start, length), isWord: true);
    }

    private bool TrySkipDollarQuote(int start)
    {
        var end = start + 1;
        while (end < _sql.Length && (IsWordStart(_sql[end]) || (end > start + 1 && char.IsAsciiDigit(_sql[end]))))
        {
            end++;
        }

        if (end >= _sql.Length || _sql[end] != '$')
        {
            return false; // A parameter such as $1.
        }

        var tag = _sql[start..(end + 1)];
        var close = _sql[(end + 1)..].IndexOf(tag);
        _position = close < 0 ? _sql.Length : end + 1 + close + tag.Length;
        return true;
    }
}
