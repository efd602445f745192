using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace EfPooling.Analyzers.Sql;

/// <summary>Tells by its syntax how a member that begins a transaction lets others into it.</summary>
internal static class TransactionHandOver
{
    /// <summary>Whether the transaction outlives the member: it is stored, returned, passed on, or left to its context. That of an execution strategy does not.</summary>
    /// <param name="member">The member.</param>
    /// <param name="begins">The names of the methods that begin one.</param>
    public static bool KeepsOpen(MemberDeclarationSyntax member, HashSet<string> begins)
        => (member is MethodDeclarationSyntax { ReturnType: var type } && type.ToString().Contains("Transaction"))
            || member.DescendantNodes().OfType<InvocationExpressionSyntax>().Any(call => begins.Contains(NameOf(call.Expression)) && !IsStrategys(call) && IsKept(call, member));

    /// <summary>Whether the member calls a delegate that it is given or that the object holds, or passes it to an execution strategy.</summary>
    public static bool RunsDelegates(MemberDeclarationSyntax member)
    {
        var parameters = new HashSet<string>(member.DescendantNodes().OfType<ParameterSyntax>().Select(parameter => parameter.Identifier.ValueText));
        var delegates = new HashSet<string>(member.DescendantNodes().OfType<ParameterSyntax>().Where(parameter => IsDelegate(parameter.Type)).Select(parameter => parameter.Identifier.ValueText));
        return member.DescendantNodes().OfType<InvocationExpressionSyntax>().Any(call => call.Expression switch
        {
            IdentifierNameSyntax name => parameters.Contains(name.Identifier.ValueText) || name.Identifier.ValueText.StartsWith("_", StringComparison.Ordinal) || name.Identifier.ValueText == "next",
            MemberAccessExpressionSyntax access => access.Name.Identifier.ValueText is "Invoke" or "InvokeAsync" or "DynamicInvoke",
            MemberBindingExpressionSyntax binding => binding.Name.Identifier.ValueText is "Invoke" or "InvokeAsync",
            _ => false,
        } || (NameOf(call.Expression).StartsWith("Execute", StringComparison.Ordinal) && call.ArgumentList.Arguments.Any(argument => argument.Expression is IdentifierNameSyntax given && delegates.Contains(given.Identifier.ValueText))));
    }

    private static bool IsDelegate(TypeSyntax? type) => type?.ToString() is { } name && (name.Contains("Func<") || name.Contains("Action") || name.Contains("Delegate"));

    private static bool IsStrategys(InvocationExpressionSyntax call) => NameOf(call.Expression).StartsWith("ExecuteInTransaction", StringComparison.Ordinal);

    private static string NameOf(ExpressionSyntax method) => method switch
    {
        MemberAccessExpressionSyntax access => access.Name.Identifier.ValueText,
        MemberBindingExpressionSyntax binding => binding.Name.Identifier.ValueText,
        SimpleNameSyntax name => name.Identifier.ValueText,
        _ => "",
    };

    // Anything but a local that the member keeps to itself, or the resource of a using statement.
    private static bool IsKept(InvocationExpressionSyntax begin, MemberDeclarationSyntax member)
    {
        foreach (var parent in begin.Ancestors())
        {
            switch (parent)
            {
                case LocalDeclarationStatementSyntax local:
                    return local.UsingKeyword.RawKind == 0 && local.Declaration.Variables.Any(variable => GoesElsewhere(variable.Identifier.ValueText, member));
                case UsingStatementSyntax:
                    return false;
                case StatementSyntax or ArrowExpressionClauseSyntax or AnonymousFunctionExpressionSyntax or ArgumentSyntax { Parent.Parent: not InvocationExpressionSyntax { Expression: MemberAccessExpressionSyntax { Name.Identifier.ValueText: "ConfigureAwait" } } }:
                    return true;
                default:
                    continue;
            }
        }

        return true;
    }

    // return tx; _tx = tx; new Unit(tx)
    private static bool GoesElsewhere(string local, MemberDeclarationSyntax member)
        => member.DescendantNodes().OfType<IdentifierNameSyntax>().Any(name => name.Identifier.ValueText == local && name.Parent switch
        {
            ReturnStatementSyntax => true,
            AssignmentExpressionSyntax assignment => assignment.Right == name && assignment.Left is not MemberAccessExpressionSyntax { Name.Identifier.ValueText: "Transaction" },
            ArgumentSyntax { Parent.Parent: BaseObjectCreationExpressionSyntax } => true,
            _ => false,
        });
}
