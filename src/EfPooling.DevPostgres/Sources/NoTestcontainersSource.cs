namespace EfPooling.Dev.Sources;

/// <summary>Way 3 in a build without Testcontainers: says how to get one with it.</summary>
internal sealed class NoTestcontainersSource : IServerSource
{
    public string Name => "Docker, through Testcontainers";

    public Task<SourceAnswer> TryStartAsync(DevPostgresOptions options, CancellationToken cancellationToken) =>
        Task.FromResult(SourceAnswer.NotHere("not part of this build; build with -p:UseTestcontainers=true"));
}
