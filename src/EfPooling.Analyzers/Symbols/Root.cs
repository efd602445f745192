using Microsoft.CodeAnalysis;

namespace EfPooling.Analyzers.Symbols;

/// <summary>
/// The shared object behind an operation: the variable that holds the context or connection. Two operations on equal roots surely use the
/// same object. An unknown root equals nothing, not even itself.
/// </summary>
/// <param name="symbol">
/// A local that is never assigned again, a parameter that is never assigned, a read-only field or get-only property of <c>this</c> or
/// static, or the type itself where the object is <c>this</c>. Null: unknown.
/// </param>
/// <param name="origin">Where the connection comes from. Known even where the symbol is not.</param>
/// <param name="entity">For a manager of users or roles: what it manages. It works on the context that its object is given, if that has a set of these.</param>
internal readonly struct Root(ISymbol? symbol, ConnectionOrigin origin = ConnectionOrigin.Shared, ITypeSymbol? entity = null)
{
    private readonly ITypeSymbol? _entity = entity;

    public ISymbol? Symbol { get; } = symbol;

    public ConnectionOrigin Origin { get; } = origin;

    public bool IsKnown => Symbol is not null;

    public static Root Unknown => new(null);

    public bool IsSameAs(Root other)
        => Symbol is not null && (SymbolEqualityComparer.Default.Equals(Symbol, other.Symbol)
            || (other.Symbol is not null && (_entity ?? other._entity) is not null && Managers.AreGivenTogether(Symbol, other.Symbol) && SharesContextWith(other)));

    private bool SharesContextWith(Root other)
        => _entity is null ? Managers.HasSetOf(Symbol.VariableType(), other._entity!) : other._entity is not null || Managers.HasSetOf(other.Symbol.VariableType(), _entity);
}
