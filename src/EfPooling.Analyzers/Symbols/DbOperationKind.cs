namespace EfPooling.Analyzers.Symbols;

/// <summary>What a call asks of its connection.</summary>
internal enum DbOperationKind
{
    /// <summary>Nothing: not an operation.</summary>
    None,

    /// <summary>A query that is read to its end.</summary>
    Query,

    /// <summary>A statement without rows, SaveChanges, COPY, migrations.</summary>
    Command,

    /// <summary>Leaves a reader open (<c>ExecuteReader</c>).</summary>
    Reader,

    /// <summary>Gives rows as they are asked for, with the reader open meanwhile (Dapper's <c>QueryUnbufferedAsync</c>).</summary>
    Stream,
    Open,
    Begin,
    Commit,
    Rollback,
}
