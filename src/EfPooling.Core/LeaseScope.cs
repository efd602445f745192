namespace EfPooling.Core;

/// <summary>What ends a lease.</summary>
public enum LeaseScope
{
    /// <summary>The end of one command.</summary>
    Command,

    /// <summary>The close of a data reader.</summary>
    Reader,

    /// <summary>Commit or rollback.</summary>
    Transaction,

    /// <summary>The holder ends it explicitly. A lease of this scope is a pin.</summary>
    Session,
}
