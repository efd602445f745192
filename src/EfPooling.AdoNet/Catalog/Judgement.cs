namespace EfPooling.AdoNet.Sql;

/// <summary>What a catalog says of a text. Immutable.</summary>
/// <param name="catalog">Which says so.</param>
/// <param name="born">How many checks of the catalog had begun by then.</param>
/// <param name="isClean">See <see cref="IsClean"/>.</param>
/// <param name="isPure">See <see cref="IsPure"/>.</param>
/// <param name="mayWrite">See <see cref="MayWrite"/>.</param>
/// <param name="advances">See <see cref="Advances"/>.</param>
internal sealed class Judgement(SqlCatalog catalog, int born, bool isClean, bool isPure, bool mayWrite, bool advances)
{
    public SqlCatalog Catalog => catalog;

    /// <summary>Proven to leave the session as it was when its transaction has ended, apart from what the text says by its own words, such as SET.</summary>
    public bool IsClean => isClean;

    /// <summary>Proven to be a read that leaves nothing behind even in its transaction, so that it may share one and run again.</summary>
    public bool IsPure => isPure;

    /// <summary>Not proven to leave the data as they were. A volatile read that runs alone need not be pure to be proven.</summary>
    public bool MayWrite => mayWrite;

    /// <summary>May advance a sequence.</summary>
    public bool Advances => advances;

    /// <summary>The same if something else is used too.</summary>
    public Judgement With(CatalogFlags flags)
        => new(catalog, born, isClean && (flags & CatalogFlags.Suspect) == 0, isPure && flags == CatalogFlags.None, mayWrite || (flags & CatalogFlags.Writes) != 0, advances || (flags & (CatalogFlags.Advances | CatalogFlags.Suspect)) != 0);

    /// <summary>
    /// The database was seen to be as the catalog says after the text had come for the first time. Before that, somebody may just have created what the text means.
    /// </summary>
    public bool IsConfirmed => catalog.HasConfirmedSince(born);
}
