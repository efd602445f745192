namespace EfPooling.AdoNet.Sql;

/// <summary>A catalog's judgement on a text. Immutable.</summary>
/// <param name="catalog">The catalog.</param>
/// <param name="born">How many checks of the catalog had begun by then.</param>
/// <param name="isClean">See <see cref="IsClean"/>.</param>
/// <param name="isPure">See <see cref="IsPure"/>.</param>
/// <param name="mayWrite">See <see cref="MayWrite"/>.</param>
/// <param name="advances">See <see cref="Advances"/>.</param>
internal sealed class Judgement(SqlCatalog catalog, int born, bool isClean, bool isPure, bool mayWrite, bool advances)
{
    public SqlCatalog Catalog => catalog;

    /// <summary>
    /// Proven to leave the session unchanged at the end of its transaction, apart from the effects of the text's own words, such
    /// as SET.
    /// </summary>
    public bool IsClean => isClean;

    /// <summary>
    /// Proven to be a read that leaves nothing behind even in its transaction, so that it may share one and run again.
    /// </summary>
    public bool IsPure => isPure;

    /// <summary>
    /// Not proven to leave the data unchanged. A volatile read that runs alone can be proven without being pure.
    /// </summary>
    public bool MayWrite => mayWrite;

    /// <summary>May advance a sequence.</summary>
    public bool Advances => advances;

    /// <summary>The same judgement with the effects of another used object.</summary>
    public Judgement With(CatalogFlags flags)
        => new(catalog, born, isClean && (flags & CatalogFlags.Suspect) == 0, isPure && flags == CatalogFlags.None, mayWrite || (flags & CatalogFlags.Writes) != 0, advances || (flags & (CatalogFlags.Advances | CatalogFlags.Suspect)) != 0);

    /// <summary>
    /// Whether the database was seen to match the catalog after the first use of the text. Before that, a session may just have
    /// created an object that the text means.
    /// </summary>
    public bool IsConfirmed => catalog.HasConfirmedSince(born);
}
