using Mono.Cecil;

namespace EfPooling.Interleavings.Rewriting;

/// <summary>The types whose fields several flows use, so that each access may come before or after those of others.</summary>
internal static class WatchedTypes
{
    private static readonly HashSet<string> Names =
    [
        "OperationGate", "StatementExecution", "OperationQueue", "SideOperations", "NestedLeases", "OperationStart", "ConnectionScope",
        "ReaderGate", "LogicalDataReader", "ServerTransaction", "LogicalConnection", "ContextGuard",
    ];

    /// <summary>Whether it is one of them, or is nested in one, as closures and state machines are.</summary>
    public static bool Contains(TypeReference? type)
    {
        for (; type is not null; type = type.DeclaringType)
        {
            if (Names.Contains(type.Name))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Whether flows share the field. Those of closures and state machines belong to one flow; what is read-only, and the parameter of a primary
    /// constructor, never change.
    /// </summary>
    public static bool Shares(FieldReference reference)
        => Contains(reference.DeclaringType) && !reference.DeclaringType.Name.Contains('<') && !reference.Name.EndsWith(">P", StringComparison.Ordinal)
            && reference.Resolve() is { IsStatic: false, IsInitOnly: false };
}
