using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Rules;

/// <summary>
/// EFP0014: <c>Database.OpenConnection</c> on a context that outlives the method, without <c>CloseConnection</c> in it or in another member of the type. Silent
/// where the method takes the connection for itself (<c>GetDbConnection</c>), which must be open for ADO.NET.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
internal sealed class ExplicitlyOpenedConnectionAnalyzer() : PoolingAnalyzer(Descriptors.ExplicitlyOpenedConnection)
{
    private static readonly HashSet<string> Closes = new(StringComparer.Ordinal) { "CloseConnection", "CloseConnectionAsync" };
    private static readonly HashSet<string> Opens = new(StringComparer.Ordinal) { "OpenConnection", "OpenConnectionAsync" };
    private static readonly HashSet<string> Disposes = new(StringComparer.Ordinal) { "Dispose", "DisposeAsync" };

    protected override void Start(CompilationStartAnalysisContext context, KnownSymbols symbols)
        => context.RegisterOperationAction(operation => Check(operation, symbols), OperationKind.Invocation);

    private static void Check(OperationAnalysisContext context, KnownSymbols symbols)
    {
        var invocation = (IInvocationOperation)context.Operation;
        if (invocation.TargetMethod.Name is not ("OpenConnection" or "OpenConnectionAsync") || !invocation.TargetMethod.ContainingType.Is(symbols.RelationalFacadeExtensions))
        {
            return;
        }

        var root = symbols.Roots.Of(DbOperations.OwnerOf(invocation));
        if (root.Symbol is null or ILocalSymbol || root.Origin != ConnectionOrigin.Shared)
        {
            return; // A local is of this method, which disposes of it.
        }

        if (!IsClosedHere(invocation, root, symbols) && !IsClosedByAnother(invocation, context.ContainingSymbol.ContainingType, symbols))
        {
            context.ReportDiagnostic(Diagnostic.Create(Descriptors.ExplicitlyOpenedConnection, invocation.Syntax.GetLocation(), root.Symbol is INamedTypeSymbol ? "this" : root.Symbol.Name));
        }
    }

    // On the same context, or on one that may be the same.
    private static bool IsClosedHere(IInvocationOperation opening, Root root, KnownSymbols symbols)
        => MemberOperations.Of(opening).Closing.Any(call => DbOperations.OwnerOf(call) is { } owner
            && (call.TargetMethod.ContainingType.Is(symbols.RelationalFacadeExtensions) || symbols.IsConnection(owner.Type))
            && symbols.Roots.Of(owner) is var other && (!other.IsKnown || other.IsSameAs(root)));

    // In Dispose, in a method that ends what this one begins; not in one that closes what it has opened itself. What it is called on may be another variable for the same context, so names tell.
    private static bool IsClosedByAnother(IInvocationOperation opening, INamedTypeSymbol? type, KnownSymbols symbols)
    {
        var own = Assignments.MemberOf(opening.Syntax);
        return type is not null && type.DeclaringSyntaxReferences.Select(part => part.GetSyntax()).OfType<TypeDeclarationSyntax>().SelectMany(part => part.Members)
            .Any(member => member != own && ((MentionedNames.In(member) is var names && names.Overlaps(Closes) && !names.Overlaps(Opens)) || DisposesOfHeld(member, type, symbols)));
    }

    // _db.Dispose() in Dispose: with the context, its connection is closed.
    private static bool DisposesOfHeld(MemberDeclarationSyntax member, INamedTypeSymbol type, KnownSymbols symbols)
        => member is MethodDeclarationSyntax { Identifier.ValueText: "Dispose" or "DisposeAsync" } && member.DescendantNodes().OfType<InvocationExpressionSyntax>().Any(call
            => call.Expression is MemberAccessExpressionSyntax { Expression: IdentifierNameSyntax held, Name.Identifier.ValueText: var name } && Disposes.Contains(name)
                && type.GetMembers(held.Identifier.ValueText).Any(field => field.VariableType().InheritsFrom(symbols.DbContext)));
}
