namespace EfPooling.AdoNet;

/// <summary>What a lease left on its server connection that must be recovered before the next owner gets it.</summary>
[Flags]
internal enum Taint
{
    None = 0,

    /// <summary>
    /// An operation was cancelled, timed out or failed outside the server: a round trip must show that the protocol is in sync.
    /// </summary>
    Suspect = 1,

    /// <summary>The session state may have changed: reset it.</summary>
    Dirty = 2,

    /// <summary>The session state changed in a way that no reset undoes without harming Npgsql's own state: close it.</summary>
    Unresettable = 4,

    /// <summary>A transaction may have been left open; comes with <see cref="Dirty"/>.</summary>
    OpenTransaction = 8,

    /// <summary>SQL has changed settings that follow its logical connection: read them back.</summary>
    SettingsChanged = 16,

    /// <summary>
    /// It may be in a transaction that could not be ended, or Npgsql may confuse answers or statements: close it, whatever
    /// the reset policy.
    /// </summary>
    Desynchronized = 32,

    /// <summary>The statements are clean if the database still matches the catalog: check it.</summary>
    Unverified = 64,

    /// <summary>A statement may have changed the database: check whether the catalog is still valid.</summary>
    SchemaChanged = 128,
}
