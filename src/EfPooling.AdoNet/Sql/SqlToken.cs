namespace EfPooling.AdoNet.Sql;

/// <summary>
/// One token and its place in the text, quotes and prefixes included. Twelve bytes, because a text may have very many.
/// </summary>
internal readonly struct SqlToken(SqlTokenKind kind, int start, int length, TextForm form = TextForm.Plain, char escape = '\\', bool isContinued = false)
{
    private readonly byte _escape = (byte)escape; // The server accepts ASCII only.

    public int Start { get; } = start;

    public int Length { get; } = length;

    public SqlTokenKind Kind { get; } = kind;

    public TextForm Form { get; } = form;

    /// <summary>The escape character of UESCAPE, or a backslash.</summary>
    public char Escape => (char)_escape;

    /// <summary>A string constant in several pieces on several lines.</summary>
    public bool IsContinued { get; } = isContinued;

    public int End => Start + Length;

    public SqlToken WithEscape(char escape) => new(Kind, Start, Length, Form, escape, IsContinued);

    public SqlToken ContinuedTo(int end) => new(Kind, Start, end - Start, Form, Escape, isContinued: true);
}
