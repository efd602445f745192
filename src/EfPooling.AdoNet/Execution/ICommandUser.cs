namespace EfPooling.AdoNet;

/// <summary>Runs a command on a connection that somebody else may have made.</summary>
internal interface ICommandUser
{
    /// <summary>The command runs with the session settings of its connection. Else it asks the catalog, and nobody's data.</summary>
    bool WantsSettings { get; }

    /// <summary>Called when the command is about to run.</summary>
    /// <exception cref="InvalidOperationException">It is not to run on that connection.</exception>
    void Admit(IConnectionHost connection);
}
