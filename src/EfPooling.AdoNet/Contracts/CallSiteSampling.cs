namespace EfPooling.AdoNet;

/// <summary>Which operations have their stack captured when they begin, so that <see cref="ConcurrentUseException"/> can name their call site.</summary>
public enum CallSiteSampling
{
    /// <summary>Operations whose text has been part of a conflict before.</summary>
    Conflicts,

    /// <summary>All operations. A captured stack costs some tens of microseconds, more when it is deep.</summary>
    Always,
}
