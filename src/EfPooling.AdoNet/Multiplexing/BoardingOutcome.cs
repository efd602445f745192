namespace EfPooling.AdoNet;

/// <summary>What a passenger is told at the end of its wait.</summary>
internal enum BoardingOutcome
{
    /// <summary>The train's reader stands at its result.</summary>
    Turn,

    /// <summary>Nobody is left whose train could take it: it counts as a driver, who acquires a server connection and takes others along.</summary>
    Drive,

    /// <summary>It was set down through no fault of its own: become a driver.</summary>
    DriveNow,

    /// <summary>Something went wrong with it: acquire a server connection, and take nobody along.</summary>
    RunAlone,
}
