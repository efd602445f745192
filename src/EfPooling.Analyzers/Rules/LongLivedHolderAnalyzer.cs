using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Rules;

/// <summary>
/// EFP0012: static fields, hosted services, convention middleware and singletons that hold a context, connection or transaction. In a
/// test project it is a suggestion.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
internal sealed class LongLivedHolderAnalyzer() : PoolingAnalyzer(Descriptors.LongLivedHolder)
{
    private static readonly HashSet<string> Registrations = new(StringComparer.Ordinal) { "AddSingleton", "TryAddSingleton", "AddKeyedSingleton" };
    private static readonly HashSet<string> ContextRegistrations = new(StringComparer.Ordinal) { "AddDbContext" };

    protected override void Start(CompilationStartAnalysisContext context, KnownSymbols symbols)
    {
        var severity = TestCode.IsTestProject(context.Compilation) ? DiagnosticSeverity.Info : DiagnosticSeverity.Warning;
        context.RegisterSymbolAction(symbol => CheckStatic(symbol, symbols, severity), SymbolKind.Field, SymbolKind.Property);
        context.RegisterSymbolAction(symbol => CheckConstructors(symbol, symbols, severity), SymbolKind.NamedType);
        context.RegisterOperationAction(operation => CheckRegistration(operation, symbols, severity), OperationKind.Invocation);
    }

    private static void CheckStatic(SymbolAnalysisContext context, KnownSymbols symbols, DiagnosticSeverity severity)
    {
        var (type, isHeld) = context.Symbol switch
        {
            IFieldSymbol { IsStatic: true, IsImplicitlyDeclared: false } field => (field.Type, !field.GetAttributes().Any(item => item.AttributeClass.Is(symbols.ThreadStatic))),
            IPropertySymbol { IsStatic: true } property => (property.Type, IsAutomatic(property)),
            _ => (null, false),
        };
        if (isHeld && HeldType(type, symbols) is { } held)
        {
            context.ReportDiagnostic(Create(context.Symbol.Locations[0], severity, $"The static '{context.Symbol.Name}'", held));
        }
    }

    private static bool IsAutomatic(IPropertySymbol property)
        => property.ContainingType.GetMembers().Any(member => member is IFieldSymbol field && SymbolEqualityComparer.Default.Equals(field.AssociatedSymbol, property));

    private static void CheckConstructors(SymbolAnalysisContext context, KnownSymbols symbols, DiagnosticSeverity severity)
    {
        var type = (INamedTypeSymbol)context.Symbol;
        if (type.TypeKind != TypeKind.Class || type.IsAbstract)
        {
            return;
        }

        var what = type.IsOrImplements(symbols.HostedService) ? "hosted service" : IsMiddleware(type, symbols) ? "middleware" : null;
        if (what is not null && HeldParameter(type, symbols) is { } parameter)
        {
            context.ReportDiagnostic(Create(parameter.Locations[0], severity, $"The {what} '{type.Name}'", parameter.Type));
        }
    }

    // Middleware by convention is made once; one that implements IMiddleware is made for each request.
    private static bool IsMiddleware(INamedTypeSymbol type, KnownSymbols symbols)
        => symbols.RequestDelegate is not null
            && type.InstanceConstructors.Any(constructor => constructor.Parameters.Any(parameter => parameter.Type.Is(symbols.RequestDelegate)))
            && type.GetMembers().OfType<IMethodSymbol>().Any(method => method.Name is "Invoke" or "InvokeAsync" && method.Parameters.FirstOrDefault()?.Type.Is(symbols.HttpContext) == true);

    private static void CheckRegistration(OperationAnalysisContext context, KnownSymbols symbols, DiagnosticSeverity severity)
    {
        var invocation = (IInvocationOperation)context.Operation;
        var method = invocation.TargetMethod;
        var isSingleton = Registrations.Contains(method.Name);
        if ((!isSingleton && !ContextRegistrations.Contains(method.Name)) || method.TypeArguments.Length == 0
            || (method.ReducedFrom ?? method).Parameters.FirstOrDefault()?.Type.Is(symbols.ServiceCollection) != true)
        {
            return;
        }

        var implementation = method.TypeArguments[method.TypeArguments.Length - 1];
        if (isSingleton ? HeldType(implementation, symbols) is not null && !MakesOfOtherProvider(invocation, symbols) : IsSingletonContext(invocation))
        {
            context.ReportDiagnostic(Create(NameOf(invocation), severity, "A singleton", implementation));
        }
        else if (isSingleton && !invocation.Arguments.Any(argument => argument.Parameter?.Name is "implementationFactory" or "implementationInstance")
            && HeldParameter(implementation, symbols) is { } parameter && !implementation.IsOrImplements(symbols.HostedService))
        {
            context.ReportDiagnostic(Create(NameOf(invocation), severity, $"The singleton '{implementation.Name}'", parameter.Type));
        }
    }

    // AddSingleton<DbConnection>(_ => new SqliteConnection(…)), whose database lives as long as its connection.
    private static bool MakesOfOtherProvider(IInvocationOperation invocation, KnownSymbols symbols)
        => invocation.Descendants().Any(operation => operation is IObjectCreationOperation creation && symbols.IsOfOtherProvider(creation.Type));

    private static bool IsSingletonContext(IInvocationOperation invocation)
        => invocation.Arguments.Any(argument => argument is { ArgumentKind: ArgumentKind.Explicit, Parameter.Name: "contextLifetime" }
            && argument.Value.ConstantValue is { HasValue: true, Value: 0 }); // ServiceLifetime.Singleton

    private static Location NameOf(IInvocationOperation invocation)
        => invocation.Syntax is Microsoft.CodeAnalysis.CSharp.Syntax.InvocationExpressionSyntax { Expression: Microsoft.CodeAnalysis.CSharp.Syntax.MemberAccessExpressionSyntax member }
            ? member.Name.GetLocation()
            : invocation.Syntax.GetLocation();

    // Dependency injection uses public constructors only; with several, it may choose one that needs none.
    private static IParameterSymbol? HeldParameter(ITypeSymbol type, KnownSymbols symbols)
    {
        if (type is not INamedTypeSymbol { DeclaringSyntaxReferences.Length: > 0 } named)
        {
            return null;
        }

        var held = named.InstanceConstructors.Where(constructor => constructor.DeclaredAccessibility == Accessibility.Public)
            .Select(constructor => constructor.Parameters.FirstOrDefault(parameter => HeldType(parameter.Type, symbols) is not null)).ToList();
        return held.TrueForAll(parameter => parameter is not null) ? held.FirstOrDefault() : null;
    }

    // The type itself, or what a Lazy of it gives.
    private static ITypeSymbol? HeldType(ITypeSymbol? type, KnownSymbols symbols)
    {
        if (type is INamedTypeSymbol { TypeArguments.Length: 1 } lazy && lazy.Is(symbols.LazyOfT))
        {
            type = lazy.TypeArguments[0];
        }

        return (type.InheritsFrom(symbols.DbContext) || symbols.IsConnection(type) || symbols.IsTransaction(type)) && !symbols.IsOfOtherProvider(type) ? type : null;
    }

    private static Diagnostic Create(Location location, DiagnosticSeverity severity, string holder, ITypeSymbol held)
        => Diagnostic.Create(Descriptors.LongLivedHolder, location, severity, null, null, holder, held.Name);
}
