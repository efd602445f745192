using Microsoft.CodeAnalysis;

namespace EfPooling.Analyzers.Symbols;

/// <summary>Recognises interceptors of EF Core by the interface, whatever their base class is.</summary>
internal static class Interceptors
{
    /// <summary>It runs when a connection has been opened, before a transaction can have begun on it.</summary>
    public static bool IsConnectionOpened(ISymbol member, KnownSymbols symbols)
        => member is IMethodSymbol { IsStatic: false } method && NameOf(method) is "ConnectionOpened" or "ConnectionOpenedAsync" && method.ContainingType.IsOrImplements(symbols.ConnectionInterceptor);

    /// <summary>It runs in a transaction that has just begun.</summary>
    public static bool IsTransactionStarted(ISymbol member, KnownSymbols symbols)
        => member is IMethodSymbol { IsStatic: false } method && NameOf(method) is "TransactionStarted" or "TransactionStartedAsync" or "TransactionUsed" or "TransactionUsedAsync"
            && method.ContainingType.IsOrImplements(symbols.TransactionInterceptor);

    /// <summary>EF Core calls it with the connection, command or transaction of a context.</summary>
    public static bool IsOne(ITypeSymbol? type, KnownSymbols symbols)
        => type.IsOrImplements(symbols.ConnectionInterceptor) || type.IsOrImplements(symbols.CommandInterceptor) || type.IsOrImplements(symbols.TransactionInterceptor);

    private static string NameOf(IMethodSymbol method) => method.ExplicitInterfaceImplementations.FirstOrDefault()?.Name ?? method.Name;
}
