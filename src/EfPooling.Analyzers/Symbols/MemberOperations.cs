using System.Runtime.CompilerServices;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Symbols;

/// <summary>What rules look up in the operations of a whole member, gathered in one walk. Immutable after that, so thread-safe.</summary>
internal sealed class MemberOperations
{
    // Values live as long as the operations.
    private static readonly ConditionalWeakTable<IOperation, MemberOperations> Cache = new();

    private readonly Dictionary<ISymbol, IOperation> _initialValues = new(SymbolEqualityComparer.Default);
    private readonly Dictionary<ISymbol, List<ILocalReferenceOperation>> _uses = new(SymbolEqualityComparer.Default);
    private readonly List<IInvocationOperation> _opening = [];
    private readonly List<IInvocationOperation> _closing = [];
    private readonly List<ISimpleAssignmentOperation> _commandTypes = [];
    private readonly List<ISimpleAssignmentOperation> _commandTransactions = [];
    private readonly List<IOperation> _transactions = [];

    private static readonly HashSet<string> TransactionMethods =
    [
        "BeginTransaction", "BeginTransactionAsync", "UseTransaction", "UseTransactionAsync", "EnlistTransaction",
        "ExecuteInTransaction", "ExecuteInTransactionAsync",
        "Commit", "CommitAsync", "Rollback", "RollbackAsync", "Dispose", "DisposeAsync",
        "CommitTransaction", "CommitTransactionAsync", "RollbackTransaction", "RollbackTransactionAsync",
    ];

    private MemberOperations(IOperation root)
    {
        foreach (var operation in root.DescendantsAndSelf())
        {
            switch (operation)
            {
                case IVariableDeclaratorOperation variable when (variable.Initializer ?? (variable.Parent as IVariableDeclarationOperation)?.Initializer)?.Value is { } value:
                    _initialValues[variable.Symbol] = value;
                    break;
                case IDeclarationPatternOperation { DeclaredSymbol: { } declared, Parent: IIsPatternOperation test }:
                    _initialValues[declared] = test.Value;
                    break;
                case ILocalReferenceOperation reference:
                    if (!_uses.TryGetValue(reference.Local, out var uses))
                    {
                        _uses.Add(reference.Local, uses = []);
                    }

                    uses.Add(reference);
                    break;
                case IInvocationOperation { TargetMethod.Name: "Open" or "OpenAsync" or "OpenConnection" or "OpenConnectionAsync" } call:
                    _opening.Add(call);
                    break;
                case IInvocationOperation { TargetMethod.Name: "CloseConnection" or "CloseConnectionAsync" or "Close" or "CloseAsync" or "GetDbConnection" } call:
                    _closing.Add(call);
                    break;
                case IInvocationOperation call when TransactionMethods.Contains(call.TargetMethod.Name):
                case IObjectCreationOperation { Type.Name: "TransactionScope" }:
                    _transactions.Add(operation);
                    break;
                case ISimpleAssignmentOperation { Target: IPropertyReferenceOperation { Property.Name: "CommandType" } } assignment:
                    _commandTypes.Add(assignment);
                    break;
                case ISimpleAssignmentOperation { Target: IPropertyReferenceOperation { Property.Name: "Transaction" } } assignment:
                    _commandTransactions.Add(assignment);
                    break;
            }
        }
    }

    /// <summary>Calls that may open a connection, in the order of the source.</summary>
    public IReadOnlyList<IInvocationOperation> Opening => _opening;

    /// <summary>Calls that may close a connection, or hand it to code that does (<c>GetDbConnection</c>).</summary>
    public IReadOnlyList<IInvocationOperation> Closing => _closing;

    /// <summary>Assignments to a property <c>CommandType</c>.</summary>
    public IReadOnlyList<ISimpleAssignmentOperation> CommandTypes => _commandTypes;

    /// <summary>Assignments to a property <c>Transaction</c>.</summary>
    public IReadOnlyList<ISimpleAssignmentOperation> CommandTransactions => _commandTransactions;

    /// <summary>Calls that by their names may begin or end a transaction, and the creation of a <c>TransactionScope</c>, in the order of the source.</summary>
    public IReadOnlyList<IOperation> Transactions => _transactions;

    /// <param name="near">Any operation of the member.</param>
    public static MemberOperations Of(IOperation near)
    {
        while (near.Parent is { } parent)
        {
            near = parent;
        }

        return Cache.GetValue(near, root => new MemberOperations(root));
    }

    /// <summary>The initial value of a local, or what a pattern has matched. Null: there is none.</summary>
    public IOperation? InitialValue(ILocalSymbol local) => _initialValues.TryGetValue(local, out var value) ? value : null;

    /// <summary>All mentions of a local, in the order of the source.</summary>
    public IReadOnlyList<ILocalReferenceOperation> UsesOf(ILocalSymbol local) => _uses.TryGetValue(local, out var uses) ? uses : [];
}
