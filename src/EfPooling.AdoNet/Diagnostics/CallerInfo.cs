namespace EfPooling.AdoNet;

/// <summary>
/// A line of the application's source, as the compiler passes it to a call. The default value is an unknown line.
/// </summary>
internal readonly struct CallerInfo(string? member, string? file, int line)
{
    /// <param name="what">What happened there; distinguishes it from the start of the operation.</param>
    /// <returns><c>null</c> if the line is not known.</returns>
    public string? Describe(string what) => file is null ? null : $"{member} in {CallSites.FileName(file)}:{line} (where {what})";
}
