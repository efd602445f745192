namespace EfPooling.AdoNet;

/// <summary>When a server connection is reset before its next owner gets it.</summary>
public enum ResetPolicy
{
    /// <summary>If its owner may have changed the session in a way that is not tracked; a clean one never is.</summary>
    Smart,

    /// <summary>After every lease.</summary>
    Always,

    /// <summary>Never. Whatever one owner leaves behind, the next one finds; only an open transaction is rolled back.</summary>
    Never,
}
