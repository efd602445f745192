namespace EfPooling.AdoNet;

/// <summary>A transaction or session whose lease outlives a statement.</summary>
internal interface IServerOwner
{
    bool IsTransaction { get; }

    /// <summary>A statement failed, or reading its results did.</summary>
    void OnStatementFailed(Exception error)
    {
    }

    /// <summary>The server connection broke under a statement.</summary>
    void OnServerBroken(Exception cause);

    /// <summary>A statement that was bound to the owner's server connection no longer uses it.</summary>
    void OnStatementEnded();

    /// <inheritdoc cref="OnStatementEnded"/>
    ValueTask OnStatementEndedAsync();
}
