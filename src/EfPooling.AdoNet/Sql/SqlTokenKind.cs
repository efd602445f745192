namespace EfPooling.AdoNet.Sql;

/// <summary>What a token is. See "Lexical Structure" in the PostgreSQL manual.</summary>
internal enum SqlTokenKind : byte
{
    /// <summary>A keyword or an identifier without quotes.</summary>
    Word,

    /// <summary>An identifier in double quotes.</summary>
    QuotedWord,

    /// <summary>A string constant of any form.</summary>
    Text,
    Number,

    /// <summary><c>$1</c>, or a placeholder <c>@name</c> or <c>:name</c> of Npgsql's.</summary>
    Parameter,
    Operator,

    /// <summary>One of <c>( ) [ ] , ; . :</c>, or a character unknown to PostgreSQL.</summary>
    Punctuation,
}
