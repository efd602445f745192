using System.Collections.Concurrent;
using System.Collections.Specialized;
using System.Data;
using System.Reflection;
using System.Runtime.CompilerServices;
using Npgsql;
using NpgsqlTypes;

namespace EfPooling.AdoNet;

/// <summary>
/// Which parameters a batched read may have: those whose copy is enough, because their value is immutable. So the caller may
/// reuse its own parameters while a batch still reads the copy.
/// </summary>
internal static class BatchedParameters
{
    // By type of value. PostgreSQL's own types are asked here, where the compiler sees them; HoldsReferences asks for all others.
    private static readonly ConcurrentDictionary<Type, bool> IsFrozenType = new(
    [
        Ask<decimal>(), Ask<Guid>(), Ask<DateTime>(), Ask<DateTimeOffset>(), Ask<DateOnly>(), Ask<TimeOnly>(), Ask<TimeSpan>(), Ask<Int128>(), Ask<BitVector32>(),
        Ask<NpgsqlInterval>(), Ask<NpgsqlPoint>(), Ask<NpgsqlLine>(), Ask<NpgsqlLSeg>(), Ask<NpgsqlBox>(), Ask<NpgsqlCircle>(), Ask<NpgsqlTid>(), Ask<NpgsqlLogSequenceNumber>(),
    ]);

    private static readonly ConcurrentDictionary<Type, Type?> TypeOfValue = new(); // by type of parameter

    public static bool CanBeCopied(NpgsqlParameterCollection parameters)
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
        // By its type first, because reading the value of a generic parameter would box it.
        if (TypeOfValue.GetOrAdd(parameter.GetType(), static type => type.IsGenericType ? type.GenericTypeArguments[0] : null) is { } type && IsFrozenValue(type))
        {
            return true;
        }

        return parameter.Value is not { } value || IsFrozenValue(value.GetType());
    }

    private static bool IsFrozenValue(Type type)
        => type == typeof(string) || type == typeof(DBNull) || IsFrozenType.GetOrAdd(type, static type => type.IsPrimitive || type.IsEnum || (type.IsValueType && !HoldsReferences(type)));

    private static KeyValuePair<Type, bool> Ask<T>()
        where T : struct
        => new(typeof(T), !RuntimeHelpers.IsReferenceOrContainsReferences<T>());

    // A program that was compiled ahead of time cannot ask for a type that is known at run time only.
    private static bool HoldsReferences(Type type)
        => !RuntimeFeature.IsDynamicCodeSupported || (bool)typeof(RuntimeHelpers).GetMethod(nameof(RuntimeHelpers.IsReferenceOrContainsReferences), BindingFlags.Public | BindingFlags.Static)!
            .MakeGenericMethod(type).Invoke(null, null)!;
}
