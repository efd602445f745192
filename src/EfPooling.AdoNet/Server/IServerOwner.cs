namespace EfPooling.AdoNet;

/// <summary>A transaction or session whose lease outlives a statement.</summary>
internal interface IServerOwner
{
    bool IsTransaction { get; }

    /// <summary>
    /// Whether the running statement is the first of the transaction, so that another transaction can replace this one.
    /// </summary>
    bool MayRestart => false;

    /// <summary>Rolls the transaction back and begins another one in its place.</summary>
    void Restart() => throw new InvalidOperationException("Only a transaction is begun again.");

    /// <inheritdoc cref="Restart"/>
    Task RestartAsync() => throw new InvalidOperationException("Only a transaction is begun again.");

    /// <summary>A statement, or the reading of its results, failed.</summary>
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
