namespace EfPooling.Dev;

/// <summary>No way to get a PostgreSQL server works on this machine. The message names each way and what it lacks.</summary>
public sealed class NoServerFoundException : Exception
{
    internal NoServerFoundException(int? majorVersion, IReadOnlyList<string> refusals)
        : base($"No PostgreSQL{(majorVersion is { } major ? $" {major}" : "")} server. One of these is enough:\n"
            + string.Join('\n', refusals.Select((refusal, index) => $"({index + 1}) {refusal}")))
    {
    }
}
