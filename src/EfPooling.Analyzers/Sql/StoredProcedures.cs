using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Sql;

/// <summary>Recognises commands whose text is the name of a procedure, which is no SQL.</summary>
internal static class StoredProcedures
{
    /// <summary>Whether the arguments of a call or constructor say so.</summary>
    public static bool AreNamedBy(IEnumerable<IArgumentOperation> arguments)
        => arguments.Any(argument => argument.Parameter?.Name == "commandType" && argument.ArgumentKind == ArgumentKind.Explicit
            && argument.Value is not (IDefaultValueOperation or ILiteralOperation) && !IsText(argument.Value));

    /// <summary>Whether the member assigns another <c>CommandType</c> than text to the same command.</summary>
    /// <param name="command">The command, or the expression that creates it.</param>
    public static bool AreNamedBy(IOperation command)
        => MemberOperations.Of(command).CommandTypes.Any(assignment => !IsText(assignment.Value)
            && ((IPropertyReferenceOperation)assignment.Target).Instance is { } instance && AreSame(CommandOf(instance), CommandOf(command)));

    private static bool IsText(IOperation value) => value is IFieldReferenceOperation { Field.Name: "Text" } or IConversionOperation { Operand: IFieldReferenceOperation { Field.Name: "Text" } };

    // The variable, or else the creation itself.
    private static (ISymbol? Variable, IOperation? Creation) CommandOf(IOperation command) => command switch
    {
        ILocalReferenceOperation local => (local.Local, null),
        IParameterReferenceOperation parameter => (parameter.Parameter, null),
        IMemberReferenceOperation { Instance: null or IInstanceReferenceOperation } member => (member.Member, null),
        IObjectCreationOperation creation => (SinkOwners.DeclaredLocal(creation), creation),
        IInstanceReferenceOperation { ReferenceKind: InstanceReferenceKind.ImplicitReceiver } => Created(command) is { } creation ? CommandOf(creation) : default,
        _ => default,
    };

    private static IObjectCreationOperation? Created(IOperation receiver)
    {
        for (var parent = receiver.Parent; parent is not null; parent = parent.Parent)
        {
            if (parent is IObjectCreationOperation creation)
            {
                return creation;
            }
        }

        return null;
    }

    private static bool AreSame((ISymbol? Variable, IOperation? Creation) one, (ISymbol? Variable, IOperation? Creation) other)
        => (one.Variable is not null && SymbolEqualityComparer.Default.Equals(one.Variable, other.Variable)) || (one.Creation is not null && one.Creation == other.Creation);
}
