namespace EfPooling.Analyzers.Sql;

/// <summary>What the code shows about a transaction around a SQL text.</summary>
internal enum TransactionState
{
    /// <summary>There may be one: it is begun under a condition, in another function, or ended on some path.</summary>
    Unknown,

    /// <summary>The member shows none. Its callers may have one.</summary>
    NoneHere,

    /// <summary>There is none: it ends before, or it begins behind, where a second one would throw.</summary>
    Outside,

    /// <summary>There is one on every path.</summary>
    Inside,
}
