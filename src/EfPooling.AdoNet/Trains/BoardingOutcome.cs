namespace EfPooling.AdoNet;

/// <summary>What a passenger is told at the end of its wait.</summary>
internal enum BoardingOutcome
{
    /// <summary>The train's reader stands at its result.</summary>
    Turn,

    /// <summary>Nobody is left whose train could take it: acquire a server connection, and take others along.</summary>
    Drive,

    /// <summary>Something went wrong with it: acquire a server connection, and take nobody along.</summary>
    RunAlone,
}
