using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace EfPooling.Analyzers.Sql;

/// <summary>Tells by its syntax how a member that begins a transaction lets others into it.</summary>
internal static class TransactionHandOver
{
    /// <summary>Whether the transaction outlives the member: it is stored, returned, passed on, or left to its context.</summary>
    /// <param name="member">The member.</param>
    /// <param name="begins">The names of the methods that begin one.</param>
    public static bool KeepsOpen(MemberDeclarationSyntax member, HashSet<string> begins)
        => (member is MethodDeclarationSyntax { ReturnType: var type } && type.ToString().Contains("Transaction"))
            || member.DescendantNodes().OfType<InvocationExpressionSyntax>().Any(call => begins.Contains(NameOf(call.Expression)) && IsKept(call));

    /// <summary>Whether the member calls a delegate that it is given or that the object holds.</summary>
    public static bool RunsDelegates(MemberDeclarationSyntax member)
    {
        var parameters = new HashSet<string>(member.DescendantNodes().OfType<ParameterSyntax>().Select(parameter => parameter.Identifier.ValueText));
        return member.DescendantNodes().OfType<InvocationExpressionSyntax>().Any(call => call.Expression switch
        {
            IdentifierNameSyntax name => parameters.Contains(name.Identifier.ValueText) || name.Identifier.ValueText.StartsWith("_", StringComparison.Ordinal) || name.Identifier.ValueText == "next",
            MemberAccessExpressionSyntax access => access.Name.Identifier.ValueText is "Invoke" or "InvokeAsync" or "DynamicInvoke",
            MemberBindingExpressionSyntax binding => binding.Name.Identifier.ValueText is "Invoke" or "InvokeAsync",
            _ => false,
        });
    }

    private static string NameOf(ExpressionSyntax method) => method switch
    {
        MemberAccessExpressionSyntax access => access.Name.Identifier.ValueText,
        MemberBindingExpressionSyntax binding => binding.Name.Identifier.ValueText,
        SimpleNameSyntax name => name.Identifier.ValueText,
        _ => "",
    };

    // Anything but a local of the member, or the resource of a using statement.
    private static bool IsKept(InvocationExpressionSyntax begin)
    {
        foreach (var parent in begin.Ancestors())
        {
            switch (parent)
            {
                case LocalDeclarationStatementSyntax or UsingStatementSyntax:
                    return false;
                case StatementSyntax or ArrowExpressionClauseSyntax or AnonymousFunctionExpressionSyntax or ArgumentSyntax { Parent.Parent: not InvocationExpressionSyntax { Expression: MemberAccessExpressionSyntax { Name.Identifier.ValueText: "ConfigureAwait" } } }:
                    return true;
                default:
                    continue;
            }
        }

        return true;
    }
}
