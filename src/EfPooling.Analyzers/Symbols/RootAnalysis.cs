using System.Collections.Concurrent;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Symbols;

/// <summary>Finds the context or connection behind an expression. What it cannot prove is unknown. Thread-safe.</summary>
internal sealed class RootAnalysis(KnownSymbols symbols)
{
    private const int MaxSteps = 40; // var a = b, b = a; in code that does not compile

    private readonly OriginAnalysis _origins = new(symbols);
    private readonly ConcurrentDictionary<ISymbol, ConnectionOrigin> _assigned = new(SymbolEqualityComparer.Default);
    private readonly ConcurrentDictionary<ISymbol, bool> _reassigned = new(SymbolEqualityComparer.Default);

    /// <param name="operation">A context, connection, command, transaction, set, query or entry; or the owner of a <see cref="DbOperation"/>.</param>
    /// <param name="model">Needed for operations of a control flow graph, which have none of their own.</param>
    public Root Of(IOperation? operation, SemanticModel? model = null)
    {
        var root = Walk(operation, operation?.SemanticModel ?? model, MaxSteps);
        return Managers.EntityOf(root.Symbol.VariableType(), symbols) is not { } entity ? root
            : Managers.HasContext(root.Symbol!, entity, symbols) ? new Root(root.Symbol, root.Origin, entity)
            : Root.Unknown;
    }

    private Root Walk(IOperation? operation, SemanticModel? model, int steps)
    {
        if (operation is null || steps == 0)
        {
            return Root.Unknown;
        }

        if (symbols.IsOfOtherProvider(operation.Type))
        {
            return new Root(null, ConnectionOrigin.OtherProvider);
        }

        return operation switch
        {
            IConversionOperation conversion => Walk(conversion.Operand, model, steps - 1),
            IParenthesizedOperation parenthesized => Walk(parenthesized.Operand, model, steps - 1),
            IAwaitOperation awaited => Walk(awaited.Operation, model, steps - 1),
            ITranslatedQueryOperation query => Walk(query.Operation, model, steps - 1),
            IConditionalAccessInstanceOperation => Walk(ReceiverOf(operation), model, steps - 1),
            ILocalReferenceOperation local => OfLocal(local, model, steps - 1),
            IParameterReferenceOperation parameter => OfVariable(parameter.Parameter, parameter.Type),
            IFieldReferenceOperation field => OfField(field),
            IPropertyReferenceOperation property => OfProperty(property, model, steps - 1),
            IInstanceReferenceOperation { ReferenceKind: InstanceReferenceKind.ContainingTypeInstance } self
                => new Root(symbols.Holds(self.Type) ? self.Type : null),
            IInvocationOperation invocation => OfInvocation(invocation, model, steps - 1),
            IObjectCreationOperation creation => OfCreation(creation, model, steps - 1),
            _ => new Root(null, symbols.IsNpgsqls(operation.Type) ? ConnectionOrigin.Dedicated : _origins.Of(operation)),
        };
    }

    // Reading a whole type for each use of a constructor's parameter would be most of what a rule costs.
    private bool MayBeReassigned(ISymbol variable) => _reassigned.GetOrAdd(variable, Assignments.MayBeReassigned);

    // The receiver of x?.Member.
    private static IOperation? ReceiverOf(IOperation instance)
    {
        var inner = instance;
        for (var outer = instance.Parent; outer is not null; (inner, outer) = (outer, outer.Parent))
        {
            if (outer is IConditionalAccessOperation access && access.WhenNotNull == inner)
            {
                return access.Operation;
            }
        }

        return null;
    }

    private Root OfLocal(ILocalReferenceOperation reference, SemanticModel? model, int steps)
    {
        var local = reference.Local;
        if (!local.IsUsing && MayBeReassigned(local))
        {
            return new Root(null, OriginOfAssignments(local));
        }

        // What belongs to another object leads there; what is an object of its own is the root.
        if (LocalValues.InitialValue(local, reference, model) is not { } initial)
        {
            return OfVariable(local, local.Type);
        }

        var behind = Walk(initial, model, steps);
        return behind.IsKnown || behind.Origin == ConnectionOrigin.OtherProvider ? behind
            : new Root(symbols.Holds(local.Type) ? local : null, behind.Origin != ConnectionOrigin.Shared ? behind.Origin : OriginOf(local.Type));
    }

    private Root OfVariable(ISymbol variable, ITypeSymbol? type)
        => new(symbols.Holds(type) && !MayBeReassigned(variable) ? variable : null, OriginOf(type));

    // The pool never hands out Npgsql's own objects, so what is passed or injected as one was opened elsewhere.
    private ConnectionOrigin OriginOf(ITypeSymbol? type) => symbols.IsNpgsqls(type) ? ConnectionOrigin.Dedicated : ConnectionOrigin.Shared;

    private Root OfField(IFieldReferenceOperation reference)
    {
        var field = reference.Field;
        var isFixed = field.IsReadOnly && (field.IsStatic || reference.Instance is IInstanceReferenceOperation);
        return new Root(isFixed && symbols.Holds(field.Type) ? field : null, OriginOfAssignments(field));
    }

    private Root OfProperty(IPropertyReferenceOperation reference, SemanticModel? model, int steps)
    {
        var property = reference.Property;
        if (property.ContainingType.Is(symbols.SessionLease))
        {
            return new Root(OfSession(reference.Instance), ConnectionOrigin.Dedicated);
        }

        if (reference.Instance is not null && BelongsToOwner(property))
        {
            return Walk(reference.Instance, model, steps);
        }

        var isFixed = property.SetMethod is null && (property.IsStatic || reference.Instance is IInstanceReferenceOperation)
            && property.ContainingType.GetMembers().Any(member => member is IFieldSymbol field && SymbolEqualityComparer.Default.Equals(field.AssociatedSymbol, property));
        return new Root(isFixed && symbols.Holds(property.Type) ? property : null, OriginAnalysis.FirstKnown(OriginOfAssignments(property), _origins.Of(reference)));
    }

    // A leased session stands for its connection.
    private static ISymbol? OfSession(IOperation? session) => session switch
    {
        ILocalReferenceOperation { Local: var local } when local.IsUsing || !Assignments.MayBeReassigned(local) => local,
        IParameterReferenceOperation { Parameter: var parameter } when !Assignments.MayBeReassigned(parameter) => parameter,
        _ => null,
    };

    // db.Orders, db.Database, command.Connection, transaction.Connection, batch.BatchCommands, users.Users
    private bool BelongsToOwner(IPropertySymbol property)
    {
        var (type, owner) = (property.Type, property.ContainingType);
        return (owner.InheritsFrom(symbols.DbContext) && (type.Is(symbols.DbSet) || type.Is(symbols.DatabaseFacade) || property.Name == "ChangeTracker"))
            || ((symbols.IsCommand(owner) || symbols.IsTransaction(owner) || owner.InheritsFrom(symbols.DbBatch)) && property.Name is "Connection" or "BatchCommands")
            || (owner.InheritsFrom(symbols.EntityEntry) && property.Name == "Context")
            || (symbols.IsManager(owner) && property.Name is "Users" or "Roles" or "UserManager");
    }

    private Root OfInvocation(IInvocationOperation invocation, SemanticModel? model, int steps)
    {
        if (LeadsToOwner(invocation.TargetMethod))
        {
            return Walk(DbOperations.OwnerOf(invocation), model, steps);
        }

        return new Root(null, _origins.Of(invocation));
    }

    // Calls that give a part of what they are called on: a query, a set, the connection, a command, a transaction.
    private bool LeadsToOwner(IMethodSymbol method)
    {
        var type = method.ContainingType;
        return method.Name is "ConfigureAwait" or "WithCancellation" or "AsTask"
            || (type.InheritsFrom(symbols.DbContext) ? method.Name is "Set" or "Entry"
            : type.Is(symbols.Queryable) || type.Is(symbols.QueryableExtensions) || type.Is(symbols.RelationalQueryableExtensions) || type.Is(symbols.RelationalFacadeExtensions)
                || type.Is(symbols.DatabaseFacade) || type.Is(symbols.DbSet) || type.Is(symbols.DbContextTransactionExtensions)
                || type.InheritsFrom(symbols.EntityEntry) || type.InheritsFrom(symbols.MemberEntry) ? !symbols.IsTask(method.ReturnType) || IsBegin(method)
            : symbols.IsConnection(type) ? method.Name is "CreateCommand" or "CreateBatch" || IsBegin(method)
            : type.InheritsFrom(symbols.DbBatch) && method.Name == "CreateBatchCommand");
    }

    private static bool IsBegin(IMethodSymbol method) => method.Name is "BeginTransaction" or "BeginTransactionAsync";

    private Root OfCreation(IObjectCreationOperation creation, SemanticModel? model, int steps)
    {
        if (!symbols.IsCommand(creation.Type) && !creation.Type.InheritsFrom(symbols.DbBatch))
        {
            return new Root(null, _origins.Of(creation));
        }

        var connection = creation.Arguments.FirstOrDefault(argument => symbols.IsConnection(argument.Parameter?.Type) && !argument.IsImplicit)?.Value
            ?? creation.Initializer?.Initializers.OfType<ISimpleAssignmentOperation>()
                .FirstOrDefault(assignment => assignment.Target is IPropertyReferenceOperation { Property.Name: "Connection" })?.Value;
        return connection is null ? new Root(null, OriginOf(creation.Type)) : Walk(connection, model, steps);
    }

    // A field or a local that is assigned in several places is dedicated if any of them gives it a connection of its own, unknown if one may.
    private ConnectionOrigin OriginOfAssignments(ISymbol variable) => _assigned.GetOrAdd(variable, ReadAssignments);

    private ConnectionOrigin ReadAssignments(ISymbol variable)
    {
        var declarations = variable is ILocalSymbol ? variable.DeclaringSyntaxReferences : variable.ContainingType.DeclaringSyntaxReferences;
        var scopes = declarations.Select(declaration => declaration.GetSyntax()).Select(node => variable is ILocalSymbol ? Assignments.MemberOf(node) : node);
        var type = variable.VariableType();
        if (symbols.IsNpgsqls(type) || !symbols.IsConnection(type))
        {
            return OriginOf(type);
        }

        var values = scopes.SelectMany(scope => Assignments.ValuesOf(scope, variable.Name)).ToList();
        return values.Exists(OriginAnalysis.LooksDedicated) ? ConnectionOrigin.Dedicated
            : values.Exists(OriginAnalysis.LooksHandedOut) ? ConnectionOrigin.Unknown
            : ConnectionOrigin.Shared;
    }
}
