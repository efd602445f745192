namespace EfPooling.AdoNet;

/// <summary>A line of the application's source, as the compiler gives it to a call. The default is an unknown one.</summary>
internal readonly struct CallerInfo(string? member, string? file, int line)
{
    /// <param name="what">What happened there, to tell it from where the operation was started.</param>
    /// <returns><c>null</c> if the line is not known.</returns>
    public string? Describe(string what) => file is null ? null : $"{member} in {CallSites.FileName(file)}:{line} (where {what})";
}
