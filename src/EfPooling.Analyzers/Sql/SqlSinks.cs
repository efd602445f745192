using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Sql;

/// <summary>Recognises SQL sinks of EF Core, ADO.NET, Npgsql and Dapper. <c>MigrationBuilder.Sql</c> is none: migrations run beside the pool. Thread-safe.</summary>
internal sealed class SqlSinks(KnownSymbols symbols)
{
    public bool TryGet(IOperation operation, out SqlSink sink)
    {
        switch (operation)
        {
            case IInvocationOperation invocation:
                return TryGetCall(invocation, out sink);
            case IObjectCreationOperation creation:
                return TryGetCreation(creation, out sink);
            case ISimpleAssignmentOperation assignment:
                return TryGetAssignment(assignment, out sink);
            default:
                sink = default;
                return false;
        }
    }

    private bool TryGetCall(IInvocationOperation invocation, out SqlSink sink)
    {
        sink = default;
        var type = invocation.TargetMethod.ContainingType;
        var name = type.Is(symbols.RelationalFacadeExtensions) || type.Is(symbols.RelationalQueryableExtensions) || type.Is(symbols.DapperSqlMapper) ? "sql"
            : invocation.TargetMethod.Name == "CreateCommand" && type.InheritsFrom(symbols.DbDataSource) ? "commandText"
            : null;
        if (name is null || Argument(invocation.Arguments, name) is not { } argument || StoredProcedures.AreNamedBy(invocation.Arguments))
        {
            return false;
        }

        var isDataSources = name == "commandText" && !invocation.Instance!.Type.InheritsFrom(symbols.PooledDataSource);
        sink = new SqlSink(invocation, argument.Value, isDataSources ? invocation : DbOperations.OwnerOf(invocation), argument.Parameter!.Type.Is(symbols.FormattableString));
        return true;
    }

    private bool TryGetCreation(IObjectCreationOperation creation, out SqlSink sink)
    {
        sink = default;
        var name = creation.Type.Is(symbols.DapperCommandDefinition) || creation.Type.InheritsFrom(symbols.DbBatchCommand) ? "commandText"
            : symbols.IsCommand(creation.Type) ? "cmdText"
            : null;
        if (name is null || (Argument(creation.Arguments, name) ?? Argument(creation.Arguments, "commandText")) is not { } argument || StoredProcedures.AreNamedBy(creation.Arguments)
            || StoredProcedures.AreNamedBy(creation))
        {
            return false;
        }

        sink = new SqlSink(creation, argument.Value, SinkOwners.Of(creation, symbols), isParameterised: false);
        return true;
    }

    private bool TryGetAssignment(ISimpleAssignmentOperation assignment, out SqlSink sink)
    {
        sink = default;
        if (assignment.Target is not IPropertyReferenceOperation { Property.Name: "CommandText" } property
            || !(symbols.IsCommand(property.Property.ContainingType) || property.Property.ContainingType.InheritsFrom(symbols.DbBatchCommand))
            || (property.Instance is not null && StoredProcedures.AreNamedBy(property.Instance)))
        {
            return false;
        }

        var isInitializer = property.Instance is IInstanceReferenceOperation { ReferenceKind: InstanceReferenceKind.ImplicitReceiver };
        var created = isInitializer ? assignment.Parent?.Parent as IObjectCreationOperation : null;
        var owner = created is not null ? SinkOwners.Of(created, symbols) : property.Instance is { } command ? SinkOwners.Of(command, symbols) : null;
        sink = new SqlSink(assignment, assignment.Value, owner, isParameterised: false);
        return true;
    }

    private static IArgumentOperation? Argument(IEnumerable<IArgumentOperation> arguments, string name)
        => arguments.FirstOrDefault(argument => argument.Parameter?.Name == name && argument.ArgumentKind == ArgumentKind.Explicit);
}
