using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>The <c>Target Session Attributes</c>, with Npgsql's meaning.</summary>
internal static class HostTarget
{
    /// <summary>The value for a data source, the environment included.</summary>
    public static TargetSessionAttributes Of(NpgsqlConnectionStringBuilder keywords)
        => (keywords.TargetSessionAttributes ?? Environment.GetEnvironmentVariable("PGTARGETSESSIONATTRS"))?.ToUpperInvariant() switch
        {
            "PRIMARY" => TargetSessionAttributes.Primary,
            "STANDBY" => TargetSessionAttributes.Standby,
            "PREFER-PRIMARY" => TargetSessionAttributes.PreferPrimary,
            "PREFER-STANDBY" => TargetSessionAttributes.PreferStandby,
            "READ-WRITE" => TargetSessionAttributes.ReadWrite,
            "READ-ONLY" => TargetSessionAttributes.ReadOnly,
            _ => TargetSessionAttributes.Any, // Npgsql refuses any other word when it connects.
        };

    /// <summary>How well a server fits.</summary>
    /// <param name="target">The wanted kind of server.</param>
    /// <param name="isStandby">The server is in recovery.</param>
    /// <param name="isReadOnly">Transactions on it are read-only by default.</param>
    public static HostFit Judge(TargetSessionAttributes target, bool isStandby, bool isReadOnly) => target switch
    {
        TargetSessionAttributes.Any => HostFit.Right,
        TargetSessionAttributes.Primary => isStandby ? HostFit.Wrong : HostFit.Right,
        TargetSessionAttributes.Standby => isStandby ? HostFit.Right : HostFit.Wrong,
        TargetSessionAttributes.PreferPrimary => isStandby ? HostFit.Second : HostFit.Right,
        TargetSessionAttributes.PreferStandby => isStandby ? HostFit.Right : HostFit.Second,
        TargetSessionAttributes.ReadWrite => isStandby || isReadOnly ? HostFit.Wrong : HostFit.Right,
        TargetSessionAttributes.ReadOnly => isStandby || isReadOnly ? HostFit.Right : HostFit.Wrong,
        _ => HostFit.Wrong,
    };

    /// <summary>Whether writes are expected to succeed, so that a failure as read-only casts doubt on the host.</summary>
    public static bool ExpectsWrites(TargetSessionAttributes target)
        => target is TargetSessionAttributes.Primary or TargetSessionAttributes.PreferPrimary or TargetSessionAttributes.ReadWrite;
}
