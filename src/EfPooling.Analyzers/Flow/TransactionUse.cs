namespace EfPooling.Analyzers.Flow;

/// <summary>What is done with a transaction at one place.</summary>
internal enum TransactionUse
{
    /// <summary>Nothing that ends it.</summary>
    Read,
    Commits,
    RollsBack,
    Disposes,

    /// <summary>Other code gets it and may end it.</summary>
    Escapes,
}
