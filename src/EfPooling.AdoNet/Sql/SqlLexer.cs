namespace EfPooling.AdoNet.Sql;

/// <summary>
/// Splits a PostgreSQL text into tokens as the server does; see "Lexical Structure" in the PostgreSQL manual. Drops comments and
/// white space. Assumes <c>standard_conforming_strings = on</c>, PostgreSQL's default, which Npgsql needs as well. Time and
/// memory grow no faster than the text.
/// </summary>
internal sealed class SqlLexer(string sql)
{
    private static readonly char[] LineEnds = ['\n', '\r'];

    private readonly List<SqlToken> _tokens = new(Math.Min(1 + (sql.Length / 5), 4096));
    private readonly OperatorRun _operators = new(sql); // one thread only
    private int _position; // one thread only
    private bool _isContinuable; // one thread only: since the last token there was an end of line and no block comment
    private bool _hasBlockComment; // one thread only
    private bool _hasEscapeWord; // one thread only

    /// <summary>
    /// Whether the text ended within a comment, a constant or a quoted name, had too many tokens, or had a UESCAPE without a name
    /// or constant before it.
    /// </summary>
    public bool IsBroken { get; private set; }

    /// <param name="sql">The text.</param>
    /// <param name="isBroken">See <see cref="IsBroken"/>.</param>
    /// <param name="most">The most tokens to read.</param>
    public static List<SqlToken> Read(string sql, out bool isBroken, int most = int.MaxValue)
    {
        var lexer = new SqlLexer(sql);
        while (lexer.Skip())
        {
            if (lexer._tokens.Count >= most)
            {
                lexer.IsBroken = true;
                break;
            }

            lexer.Next();
        }

        lexer.IsBroken |= lexer._hasEscapeWord && !UnicodeEscapes.TryAttach(sql, lexer._tokens);
        isBroken = lexer.IsBroken;
        return lexer._tokens;
    }

    private char Peek(int offset = 0) => _position + offset < sql.Length ? sql[_position + offset] : '\0';

    // Moves to the start of the next token.
    private bool Skip()
    {
        (_isContinuable, _hasBlockComment) = (false, false);
        while (_position < sql.Length)
        {
            var c = sql[_position];
            if (SqlCharacters.IsSpace(c))
            {
                _isContinuable |= c is '\n' or '\r';
                _position++;
            }
            else if (c == '-' && Peek(1) == '-')
            {
                var end = sql.IndexOfAny(LineEnds, _position);
                _position = end < 0 ? sql.Length : end;
            }
            else if (c == '/' && Peek(1) == '*')
            {
                SkipBlockComment();
            }
            else
            {
                return true;
            }
        }

        return false;
    }

    private void SkipBlockComment()
    {
        _hasBlockComment = true;
        var depth = 0;
        do
        {
            var (first, second) = (Peek(), Peek(1));
            var change = first == '/' && second == '*' ? 1 : first == '*' && second == '/' ? -1 : 0;
            depth += change;
            _position += change == 0 ? 1 : 2;
        }
        while (depth > 0 && _position < sql.Length);
        IsBroken |= depth > 0;
    }

    private void Next()
    {
        var (start, c, next) = (_position, sql[_position], Peek(1));
        if (c == '\'')
        {
            ReadText(prefix: 0, TextForm.Plain);
        }
        else if (next == '\'' && TextPrefix(c) is { } form)
        {
            ReadText(prefix: 1, form);
        }
        else if (c is 'u' or 'U' && next == '&' && Peek(2) == '\'')
        {
            ReadText(prefix: 2, TextForm.Unicode);
        }
        else if (c == '"')
        {
            ReadQuotedWord(prefix: 0, TextForm.Plain);
        }
        else if (c is 'u' or 'U' && next == '&' && Peek(2) == '"')
        {
            ReadQuotedWord(prefix: 2, TextForm.Unicode);
        }
        else if (SqlCharacters.StartsWord(c))
        {
            Add(SqlTokenKind.Word, start, SqlCharacters.EndOfWord(sql, start));
            _hasEscapeWord |= c is 'u' or 'U' && UnicodeEscapes.IsKeyword(sql, _tokens[_tokens.Count - 1]);
        }
        else if (SqlCharacters.IsDigit(c) || (c == '.' && SqlCharacters.IsDigit(next)))
        {
            Add(SqlTokenKind.Number, start, SqlCharacters.EndOfNumber(sql, start));
        }
        else if (c == '$')
        {
            ReadDollar();
        }
        else if (c == ':' && next is ':' or '=')
        {
            Add(SqlTokenKind.Operator, start, start + 2);
        }
        else if (c is '@' or ':' && SqlCharacters.StartsWord(next) && !IsCalled(SqlCharacters.EndOfWord(sql, start + 1)))
        {
            Add(SqlTokenKind.Parameter, start, SqlCharacters.EndOfWord(sql, start + 1));
        }
        else if (SqlCharacters.IsOperator(c))
        {
            Add(SqlTokenKind.Operator, start, _operators.EndOf(start));
        }
        else
        {
            Add(SqlTokenKind.Punctuation, start, start + 1);
        }
    }

    private static TextForm? TextPrefix(char c) => c switch
    {
        'e' or 'E' => TextForm.Escaped,
        'n' or 'N' => TextForm.Plain,
        'b' or 'B' or 'x' or 'X' => TextForm.Bits,
        _ => null,
    };

    // PostgreSQL reads @f(x) as an operator and a call. A parameter is never called.
    private bool IsCalled(int end)
    {
        while (end < sql.Length && SqlCharacters.IsSpace(sql[end]))
        {
            end++;
        }

        return end < sql.Length && sql[end] is '(' or '.' or '/' or '-'; // The last two may begin a comment.
    }

    private void Add(SqlTokenKind kind, int start, int end, TextForm form = TextForm.Plain)
    {
        _tokens.Add(new SqlToken(kind, start, end - start, form));
        _position = end;
    }

    private void ReadText(int prefix, TextForm form)
    {
        var start = _position;
        var continues = prefix == 0 && _isContinuable && !_hasBlockComment && _tokens.Count > 0
            && _tokens[_tokens.Count - 1] is { Kind: SqlTokenKind.Text, Form: not TextForm.Dollar };
        var isEscaped = form == TextForm.Escaped || (continues && _tokens[_tokens.Count - 1].Form == TextForm.Escaped);
        _position += prefix + 1;
        while (true)
        {
            if (_position >= sql.Length)
            {
                IsBroken = true;
                _position = sql.Length;
                break;
            }

            var c = sql[_position++];
            if (c == '\\' && isEscaped)
            {
                _position++;
            }
            else if (c == '\'')
            {
                if (form == TextForm.Bits || Peek() != '\'')
                {
                    break;
                }

                _position++;
            }
        }

        if (continues)
        {
            _tokens[_tokens.Count - 1] = _tokens[_tokens.Count - 1].ContinuedTo(_position);
        }
        else
        {
            Add(SqlTokenKind.Text, start, _position, form);
        }
    }

    private void ReadQuotedWord(int prefix, TextForm form)
    {
        var start = _position;
        var end = start + prefix + 1;
        while (true)
        {
            var quote = end < sql.Length ? sql.IndexOf('"', end) : -1;
            if (quote < 0)
            {
                IsBroken = true;
                end = sql.Length;
                break;
            }

            end = quote + 1;
            if (end >= sql.Length || sql[end] != '"')
            {
                break;
            }

            end++;
        }

        Add(SqlTokenKind.QuotedWord, start, end, form);
    }

    private void ReadDollar()
    {
        var start = _position;
        if (SqlCharacters.IsDigit(Peek(1)))
        {
            Add(SqlTokenKind.Parameter, start, SqlCharacters.EndOfDigits(sql, start + 1));
            return;
        }

        var tagEnd = SqlCharacters.EndOfTag(sql, start + 1);
        if (tagEnd >= sql.Length || sql[tagEnd] != '$')
        {
            Add(SqlTokenKind.Punctuation, start, start + 1);
            return;
        }

        var tag = tagEnd == start + 1 ? "$$" : sql.Substring(start, tagEnd + 1 - start);
        var close = sql.IndexOf(tag, tagEnd + 1, StringComparison.Ordinal);
        IsBroken |= close < 0;
        Add(SqlTokenKind.Text, start, close < 0 ? sql.Length : close + tag.Length, TextForm.Dollar);
    }
}
