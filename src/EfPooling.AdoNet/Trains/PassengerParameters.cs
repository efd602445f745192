using System.Collections.Concurrent;
using System.Data;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>Which parameters a passenger may have.</summary>
internal static class PassengerParameters
{
    private static readonly ConcurrentDictionary<Type, bool> HoldsValueType = new(); // by type of parameter

    /// <summary>Whether the command can run a second time with the same outcome, also while the first one is still going on.</summary>
    public static bool CanTravel(NpgsqlParameterCollection parameters)
    {
        for (var i = 0; i < parameters.Count; i++)
        {
            var parameter = parameters[i];
            if (parameter.Direction != ParameterDirection.Input || (!IsValue(parameter) && parameter.Value is Stream or TextReader))
            {
                return false;
            }
        }

        return true;
    }

    // Without boxing its value.
    private static bool IsValue(NpgsqlParameter parameter)
        => parameter.GetType() is var type && type != typeof(NpgsqlParameter)
            && HoldsValueType.GetOrAdd(type, static type => type.IsGenericType && type.GenericTypeArguments[0].IsValueType);
}
