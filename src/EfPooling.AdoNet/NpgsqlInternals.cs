using System.Runtime.CompilerServices;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>The one thing that Npgsql does not offer publicly. PreparationTests fail loudly when Npgsql changes it.</summary>
internal static class NpgsqlInternals
{
    /// <summary>
    /// Makes a batch command forget that it was prepared. Npgsql 10 does not look on which connection that was: on another one it would
    /// run whatever statement has the same name there. Where the command is still prepared, Npgsql finds it again by its text.
    /// </summary>
    public static void ForgetPreparation(NpgsqlBatchCommand command)
    {
        var text = command.CommandText;
        Reset(command);
        command.CommandText = text;
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "Reset")]
    private static extern void Reset(NpgsqlBatchCommand command);
}
