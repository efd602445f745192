using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Sql;

/// <summary>Tells whether a command is given a transaction that is surely there.</summary>
internal static class GivenTransaction
{
    /// <param name="sink">The call, the creation of the command, or the assignment of its text.</param>
    /// <param name="symbols">The known types.</param>
    public static bool IsTo(IOperation sink, KnownSymbols symbols) => sink switch
    {
        IInvocationOperation call => IsAmong(call.Arguments, symbols),
        IObjectCreationOperation creation => IsAmong(creation.Arguments, symbols) || IsIn(creation.Initializer) || IsAssigned(SinkOwners.DeclaredLocal(creation), sink),
        ISimpleAssignmentOperation { Parent: IObjectOrCollectionInitializerOperation { Parent: IObjectCreationOperation creation } } => IsTo(creation, symbols),
        ISimpleAssignmentOperation { Target: IPropertyReferenceOperation { Instance: ILocalReferenceOperation command } }
            => IsAssigned(command.Local, sink) || (MemberOperations.Of(sink).InitialValue(command.Local) is IObjectCreationOperation creation && (IsAmong(creation.Arguments, symbols) || IsIn(creation.Initializer))),
        _ => false,
    };

    /// <summary>The constant null.</summary>
    public static bool IsNull(IOperation value)
    {
        while (value is IConversionOperation conversion)
        {
            value = conversion.Operand;
        }

        return value is IDefaultValueOperation or { ConstantValue: { HasValue: true, Value: null } };
    }

    private static bool IsAmong(IEnumerable<IArgumentOperation> arguments, KnownSymbols symbols)
        => arguments.Any(argument => argument.ArgumentKind == ArgumentKind.Explicit && symbols.IsTransaction(argument.Parameter?.Type) && IsThere(argument.Value));

    private static bool IsIn(IObjectOrCollectionInitializerOperation? initializer)
        => initializer?.Initializers.OfType<ISimpleAssignmentOperation>().Any(assignment => assignment.Target is IPropertyReferenceOperation { Property.Name: "Transaction" } && IsThere(assignment.Value)) == true;

    private static bool IsAssigned(ILocalSymbol? command, IOperation near)
        => command is not null && MemberOperations.Of(near).CommandTransactions.Any(assignment
            => assignment.Target is IPropertyReferenceOperation { Instance: ILocalReferenceOperation { Local: var local } } && SymbolEqualityComparer.Default.Equals(local, command) && IsThere(assignment.Value));

    // Neither null nor a variable that may be.
    private static bool IsThere(IOperation value)
    {
        while (value is IConversionOperation conversion)
        {
            value = conversion.Operand;
        }

        return !IsNull(value) && value switch
        {
            ILocalReferenceOperation local => local.Local.NullableAnnotation != NullableAnnotation.Annotated || !MayBeNull(local),
            IParameterReferenceOperation parameter => parameter.Parameter.NullableAnnotation != NullableAnnotation.Annotated,
            IFieldReferenceOperation field => field.Field.NullableAnnotation != NullableAnnotation.Annotated,
            IPropertyReferenceOperation property => property.Property.NullableAnnotation != NullableAnnotation.Annotated,
            IInvocationOperation call => call.TargetMethod.ReturnNullableAnnotation != NullableAnnotation.Annotated,
            _ => false,
        };
    }

    // "var" is annotated whatever it holds.
    private static bool MayBeNull(ILocalReferenceOperation local)
    {
        var value = MemberOperations.Of(local).InitialValue(local.Local);
        while (value is IConversionOperation or IAwaitOperation)
        {
            value = value is IConversionOperation conversion ? conversion.Operand : ((IAwaitOperation)value).Operation;
        }

        return value is not (IInvocationOperation or IObjectCreationOperation) || (value is IInvocationOperation { TargetMethod.ReturnNullableAnnotation: NullableAnnotation.Annotated }) || Assignments.MayBeReassigned(local.Local);
    }
}
