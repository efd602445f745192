namespace EfPooling.AdoNet;

/// <summary>How settings may reach the server before the next statement.</summary>
internal enum SettingRoute
{
    /// <summary>With a round trip of their own.</summary>
    Alone,

    /// <summary>
    /// Ahead of a statement and in its implicit transaction: its failure undoes them, and their failure keeps it from running.
    /// </summary>
    WithStatement,

    /// <summary>Ahead of a statement as a transaction of their own, if the server is certain to accept them.</summary>
    AheadOfTransaction,
}
