using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Symbols;

/// <summary>Tells from the expression that makes a connection whether the code owns it. In doubt about a physical one, it does.</summary>
internal sealed class OriginAnalysis(KnownSymbols symbols)
{
    public ConnectionOrigin Of(IOperation? operation)
    {
        while (operation is IConversionOperation or IAwaitOperation or IParenthesizedOperation)
        {
            operation = operation switch
            {
                IConversionOperation conversion => conversion.Operand,
                IAwaitOperation awaited => awaited.Operation,
                _ => ((IParenthesizedOperation)operation).Operand,
            };
        }

        return operation switch
        {
            IObjectCreationOperation creation when creation.Type.Is(symbols.NpgsqlConnection) => ConnectionOrigin.Dedicated,
            IPropertyReferenceOperation property when property.Property.ContainingType.Is(symbols.SessionLease) => ConnectionOrigin.Dedicated,
            IObjectCreationOperation creation when creation.Type.InheritsFrom(symbols.DbContext) && IsConfiguredHereWithoutPooling(creation) => ConnectionOrigin.Dedicated,
            IInvocationOperation invocation => OfCall(invocation),
            IPropertyReferenceOperation { Instance: { } instance } property when instance is not IInstanceReferenceOperation && symbols.IsConnection(property.Type) => ConnectionOrigin.Unknown,
            IConditionalOperation choice => FirstKnown(Of(choice.WhenTrue), Of(choice.WhenFalse)),
            ICoalesceOperation choice => FirstKnown(Of(choice.Value), Of(choice.WhenNull)),
            _ => ConnectionOrigin.Shared,
        };
    }

    // The member that makes the context also chooses its provider, and no pool: a tool, a migration.
    private static bool IsConfiguredHereWithoutPooling(IObjectCreationOperation creation)
        => Assignments.MemberOf(creation.Syntax) is var member && MentionedNames.In(member).Contains("UseNpgsql") && !PoolingMentions.AreAround(creation.Syntax, member);

    /// <summary>The same by syntax, for places that are out of a semantic model's reach.</summary>
    public static bool LooksDedicated(ExpressionSyntax expression) => expression switch
    {
        AwaitExpressionSyntax awaited => LooksDedicated(awaited.Expression),
        ParenthesizedExpressionSyntax parenthesized => LooksDedicated(parenthesized.Expression),
        BaseObjectCreationExpressionSyntax => true,
        InvocationExpressionSyntax { Expression: MemberAccessExpressionSyntax member } invocation => member.Name.Identifier.ValueText switch
        {
            "ConfigureAwait" => LooksDedicated(member.Expression),
            "OpenConnection" or "OpenConnectionAsync" or "CreateConnection" => invocation.ArgumentList.Arguments.Count < 2,
            _ => false,
        },
        _ => false,
    };

    /// <summary>Whether the expression calls something that may make a connection.</summary>
    public static bool LooksHandedOut(ExpressionSyntax expression) => expression switch
    {
        AwaitExpressionSyntax awaited => LooksHandedOut(awaited.Expression),
        ParenthesizedExpressionSyntax parenthesized => LooksHandedOut(parenthesized.Expression),
        CastExpressionSyntax cast => LooksHandedOut(cast.Expression),
        PostfixUnaryExpressionSyntax forgiving => LooksHandedOut(forgiving.Operand),
        ConditionalExpressionSyntax choice => LooksHandedOut(choice.WhenTrue) || LooksHandedOut(choice.WhenFalse),
        BinaryExpressionSyntax { RawKind: (int)SyntaxKind.CoalesceExpression } choice => LooksHandedOut(choice.Left) || LooksHandedOut(choice.Right),
        InvocationExpressionSyntax { Expression: MemberAccessExpressionSyntax { Name.Identifier.ValueText: "ConfigureAwait" } member } => LooksHandedOut(member.Expression),
        InvocationExpressionSyntax { Expression: MemberAccessExpressionSyntax { Name.Identifier.ValueText: "GetDbConnection" } } => false,
        InvocationExpressionSyntax or BaseObjectCreationExpressionSyntax => true,
        _ => false,
    };

    private ConnectionOrigin OfCall(IInvocationOperation invocation)
    {
        var method = invocation.TargetMethod;
        if (method.Name == "ConfigureAwait")
        {
            return Of(invocation.Instance);
        }

        var source = invocation.Instance?.Type ?? method.ContainingType;
        return source.InheritsFrom(symbols.PooledDataSource) ? ConnectionOrigin.OpenedFromPool
            : source.InheritsFrom(symbols.NpgsqlDataSource) || IsPhysical(method.ReturnType) ? ConnectionOrigin.Dedicated
            : source.InheritsFrom(symbols.DbDataSource) && symbols.IsConnection(Result(method.ReturnType)) ? ConnectionOrigin.Dedicated // Whose, the type does not say.
            : source.InheritsFrom(symbols.DbDataSource) ? ConnectionOrigin.Unknown // A command on one.
            : symbols.IsConnection(Result(method.ReturnType)) && !method.ContainingType.Is(symbols.RelationalFacadeExtensions) ? ConnectionOrigin.Unknown
            : ConnectionOrigin.Shared;
    }

    public static ConnectionOrigin FirstKnown(ConnectionOrigin first, ConnectionOrigin second) => first != ConnectionOrigin.Shared ? first : second;

    // The pool never hands out an NpgsqlConnection, so this one was opened for the caller elsewhere.
    private bool IsPhysical(ITypeSymbol type) => Result(type).Is(symbols.NpgsqlConnection);

    private ITypeSymbol Result(ITypeSymbol type) => symbols.IsTask(type) && type is INamedTypeSymbol { TypeArguments.Length: 1 } task ? task.TypeArguments[0] : type;
}
