namespace EfPooling.AdoNet;

/// <summary>Runs a command on a connection that another caller may have made.</summary>
internal interface ICommandUser
{
    /// <summary>The command runs with the session settings of its connection. Otherwise it asks the catalog, and reads no data.</summary>
    bool WantsSettings { get; }

    /// <summary>Called when the command is about to run.</summary>
    /// <exception cref="InvalidOperationException">It is not to run on that connection.</exception>
    void Admit(IConnectionHost connection);
}
