using System.Collections.Concurrent;
using System.Data;
using System.Reflection;
using System.Runtime.CompilerServices;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// Which parameters a passenger may have: those of which a copy is enough, because nobody can change its value. So the caller may have its own
/// parameters back, and run them again, while a train still reads the copy.
/// </summary>
internal static class PassengerParameters
{
    private static readonly ConcurrentDictionary<Type, bool> IsFrozenType = new(); // by type of value
    private static readonly ConcurrentDictionary<Type, Type?> TypeOfValue = new(); // by type of parameter

    public static bool CanTravel(NpgsqlParameterCollection parameters)
    {
        for (var i = 0; i < parameters.Count; i++)
        {
            if (parameters[i].Direction != ParameterDirection.Input || !IsFrozen(parameters[i]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>A statement of a batch, with parameters of its own.</summary>
    public static NpgsqlBatchCommand Copy(NpgsqlCommand command)
    {
        var copy = new NpgsqlBatchCommand(command.CommandText);
        for (var i = 0; i < command.Parameters.Count; i++)
        {
            copy.Parameters.Add(command.Parameters[i].Clone());
        }

        return copy;
    }

    private static bool IsFrozen(NpgsqlParameter parameter)
    {
        // By its type first, because the value of a generic one would be boxed.
        if (TypeOfValue.GetOrAdd(parameter.GetType(), static type => type.IsGenericType ? type.GenericTypeArguments[0] : null) is { } type && IsFrozenValue(type))
        {
            return true;
        }

        return parameter.Value is not { } value || IsFrozenValue(value.GetType());
    }

    private static bool IsFrozenValue(Type type)
        => type == typeof(string) || type == typeof(DBNull) || IsFrozenType.GetOrAdd(type, static type => type.IsValueType && !HoldsReferences(type));

    private static bool HoldsReferences(Type type)
        => (bool)typeof(RuntimeHelpers).GetMethod(nameof(RuntimeHelpers.IsReferenceOrContainsReferences), BindingFlags.Public | BindingFlags.Static)!
            .MakeGenericMethod(type).Invoke(null, null)!;
}
