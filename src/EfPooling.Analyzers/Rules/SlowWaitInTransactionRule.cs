using EfPooling.Analyzers.Flow;
using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;

namespace EfPooling.Analyzers.Rules;

/// <summary>EFP0009: on a path from the begin of a transaction to its end, the code waits for something other than the database.</summary>
internal sealed class SlowWaitInTransactionRule() : FlowRule(Descriptors.SlowWaitInTransaction)
{
    /// <summary>Full names of more slow types, separated by commas or bars: <c>Acme.Payments.IGateway, Acme.Crm.Client`1</c>.</summary>
    public const string OptionName = "dotnet_code_quality.EFP0009.additional_slow_types";

    public override void Check(FlowBody body)
    {
        var transactions = body.Operations.Where(operation => operation.Kind == DbOperationKind.Begin)
            .Select(operation => TransactionLocal.Of(operation, body)).OfType<TransactionLocal>()
            .Where(transaction => body.RootOf(transaction.Begin).Origin is ConnectionOrigin.Shared or ConnectionOrigin.OpenedFromPool).ToList();
        if (transactions.Count == 0)
        {
            return;
        }

        var additional = AdditionalTypes(body);
        var slow = new HashSet<SyntaxNode>(body.Invocations.Where(call => body.Symbols.SlowCalls.IsSlow(call, additional)).Select(call => call.Syntax));
        var reported = new HashSet<SyntaxNode>();
        foreach (var transaction in slow.Count > 0 ? transactions : [])
        {
            Check(transaction, slow, body, reported);
        }
    }

    private void Check(TransactionLocal transaction, HashSet<SyntaxNode> slow, FlowBody body, HashSet<SyntaxNode> reported)
        => body.WalkFrom(transaction.Begin.Invocation)?.Run(
            operation =>
            {
                if (transaction.MayEndAt(operation))
                {
                    return false;
                }

                if (body.Original(operation) is { } call && slow.Contains(call.Syntax) && reported.Add(call.Syntax))
                {
                    body.Report(Descriptor, call.Syntax, transaction.Begin.Invocation.Syntax, $"{call.TargetMethod.ContainingType.Name}.{call.TargetMethod.Name}", transaction.Local.Name);
                }

                return true;
            },
            transaction.Local);

    private static List<INamedTypeSymbol> AdditionalTypes(FlowBody body)
        => [.. (body.Option(OptionName) ?? "").Split(',', '|')
            .Select(name => name.Trim()).Where(name => name.Length > 0)
            .SelectMany(name => body.Symbols.Compilation.GetTypesByMetadataName(name))];
}
