namespace EfPooling.AdoNet;

/// <summary>What a lease did to its server connection that must be mended before the next owner gets it.</summary>
[Flags]
internal enum Taint
{
    None = 0,

    /// <summary>Something was cancelled, timed out or failed outside the server: a round trip must show that it is still in step.</summary>
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
    /// It may be in a transaction that could not be ended, or Npgsql may take answers or statements for what they are not: close it, whatever
    /// the reset policy.
    /// </summary>
    Desynchronized = 32,

    /// <summary>What ran is clean if the database is still as the catalog says: look.</summary>
    Unverified = 64,

    /// <summary>What ran may have changed the database: look whether the catalog still holds.</summary>
    SchemaChanged = 128,
}
