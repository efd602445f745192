using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Sql;

/// <summary>Finds out what a command object will run on, where it is not among its own arguments.</summary>
internal static class SinkOwners
{
    /// <param name="command">A command, or the expression that creates it.</param>
    /// <param name="symbols">The known types.</param>
    public static IOperation? Of(IOperation command, KnownSymbols symbols)
    {
        if (command.Type.Is(symbols.DapperCommandDefinition))
        {
            return EnclosingCall(command)?.Arguments.FirstOrDefault(argument => symbols.IsConnection(argument.Parameter?.Type))?.Value
                ?? UseOfVariable(command, symbols);
        }

        if (command.Type.InheritsFrom(symbols.DbBatchCommand))
        {
            return EnclosingBatch(command, symbols) ?? UseOfVariable(command, symbols);
        }

        return HasConnection(command, symbols) ? command : UseOfVariable(command, symbols) ?? command;
    }

    private static bool HasConnection(IOperation command, KnownSymbols symbols)
        => command is not IObjectCreationOperation creation
            ? command is not ILocalReferenceOperation local || LocalValues.InitialValue(local.Local, local) is not IObjectCreationOperation initial || HasConnection(initial, symbols)
            : creation.Arguments.Any(argument => symbols.IsConnection(argument.Parameter?.Type) && !argument.IsImplicit)
                || (creation.Initializer?.Initializers.OfType<ISimpleAssignmentOperation>()
                    .Any(assignment => assignment.Target is IPropertyReferenceOperation { Property.Name: "Connection" }) ?? false);

    private static IInvocationOperation? EnclosingCall(IOperation operation)
    {
        for (var parent = operation.Parent; parent is not null; parent = parent.Parent)
        {
            switch (parent)
            {
                case IInvocationOperation invocation:
                    return invocation;
                case IArgumentOperation or IConversionOperation or IParenthesizedOperation:
                    continue;
                default:
                    return null;
            }
        }

        return null;
    }

    // batch.BatchCommands.Add(new(…)), or new NpgsqlBatch(connection) { BatchCommands = { new(…) } }
    private static IOperation? EnclosingBatch(IOperation operation, KnownSymbols symbols)
    {
        for (var parent = operation.Parent; parent is not (null or IBlockOperation); parent = parent.Parent)
        {
            if (parent is IInvocationOperation { Instance: IPropertyReferenceOperation { Property.Name: "BatchCommands", Instance: { } batch } } && batch is not IInstanceReferenceOperation)
            {
                return batch;
            }

            if (parent is IObjectCreationOperation creation && creation.Type.InheritsFrom(symbols.DbBatch))
            {
                return creation;
            }
        }

        return null;
    }

    // var x = new Command(…); … connection.Execute(x), batch.BatchCommands.Add(x) or x.Connection = connection.
    private static IOperation? UseOfVariable(IOperation command, KnownSymbols symbols)
    {
        var local = command is ILocalReferenceOperation reference ? reference.Local : DeclaredLocal(command);
        if (local is null)
        {
            return null;
        }

        foreach (var use in MemberOperations.Of(command).UsesOf(local))
        {
            var owner = use.Parent is IPropertyReferenceOperation { Property.Name: "Connection", Parent: ISimpleAssignmentOperation assignment } property && assignment.Target == property
                ? assignment.Value
                : EnclosingBatch(use, symbols) ?? EnclosingCall(use)?.Arguments.FirstOrDefault(other => symbols.IsConnection(other.Parameter?.Type))?.Value;
            if (owner is not null)
            {
                return owner;
            }
        }

        return null;
    }

    /// <summary>Of <c>var x = new Command(…)</c>.</summary>
    public static ILocalSymbol? DeclaredLocal(IOperation value)
    {
        while (value.Parent is IConversionOperation conversion)
        {
            value = conversion;
        }

        return value.Parent is IVariableInitializerOperation { Parent: IVariableDeclaratorOperation variable } ? variable.Symbol : null;
    }
}
