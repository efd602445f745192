namespace EfPooling.AdoNet.Sql;

/// <summary>How a string constant or a quoted identifier is written.</summary>
internal enum TextForm : byte
{
    /// <summary>Doubled quotes only. Also every token that is not a constant.</summary>
    Plain,

    /// <summary><c>E'…'</c></summary>
    Escaped,

    /// <summary><c>U&amp;'…'</c> or <c>U&amp;"…"</c></summary>
    Unicode,

    /// <summary><c>$tag$…$tag$</c></summary>
    Dollar,

    /// <summary><c>B'…'</c> or <c>X'…'</c></summary>
    Bits,
}
