namespace EfPooling.AdoNet;

/// <summary>When a server connection is reset before its next owner gets it.</summary>
public enum ResetPolicy
{
    /// <summary>If its owner may have changed the session in a way that is not tracked. A clean session is never reset.</summary>
    Smart,

    /// <summary>After every lease.</summary>
    Always,

    /// <summary>
    /// Never. The next owner finds the session state that one owner leaves behind. Only an open transaction is rolled back.
    /// </summary>
    Never,
}
