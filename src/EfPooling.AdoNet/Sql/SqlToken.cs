namespace EfPooling.AdoNet.Sql;

/// <summary>One token and where it stands in its text, quotes and prefixes included.</summary>
internal readonly struct SqlToken(SqlTokenKind kind, int start, int length, TextForm form = TextForm.Plain, char escape = '\\', bool isContinued = false)
{
    public SqlTokenKind Kind { get; } = kind;

    public int Start { get; } = start;

    public int Length { get; } = length;

    public int End => Start + Length;

    public TextForm Form { get; } = form;

    /// <summary>What UESCAPE said, or a backslash.</summary>
    public char Escape { get; } = escape;

    /// <summary>A string constant in several pieces on several lines.</summary>
    public bool IsContinued { get; } = isContinued;

    public SqlToken WithEscape(char escape) => new(Kind, Start, Length, Form, escape, IsContinued);

    public SqlToken ContinuedTo(int end) => new(Kind, Start, end - Start, Form, Escape, isContinued: true);
}
