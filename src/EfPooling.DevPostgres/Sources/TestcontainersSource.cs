using System.Globalization;
using DotNet.Testcontainers.Builders;
using EfPooling.Dev.Local;
using Testcontainers.PostgreSql;

namespace EfPooling.Dev.Sources;

/// <summary>Way 3: a container. Compiled only with <c>-p:UseTestcontainers=true</c>.</summary>
internal sealed class TestcontainersSource : IServerSource
{
    private const int DefaultMajorVersion = 17;
    private const int ServerPort = 5432; // inside the container

    public string Name => "Docker, through Testcontainers";

    public async Task<SourceAnswer> TryStartAsync(DevPostgresOptions options, CancellationToken cancellationToken)
    {
        PostgreSqlContainer container;
        try
        {
            container = Build(options);
        }
        catch (DockerUnavailableException e)
        {
            return SourceAnswer.NotHere(e.Message);
        }

        try
        {
            await container.StartAsync(cancellationToken).ConfigureAwait(false);
            return SourceAnswer.Found(new ContainerServer(container));
        }
        catch (Exception e)
        {
            await container.DisposeAsync().ConfigureAwait(false);
            if (e is DockerUnavailableException)
            {
                return SourceAnswer.NotHere(e.Message);
            }

            throw;
        }
    }

    private static PostgreSqlContainer Build(DevPostgresOptions options)
    {
        var settings = new Dictionary<string, string>(options.Settings, StringComparer.OrdinalIgnoreCase)
        {
            ["max_connections"] = options.MaxConnections.ToString(CultureInfo.InvariantCulture),
        };

        // A port that Docker chooses would change with every restart.
        return new PostgreSqlBuilder($"postgres:{options.MajorVersion ?? DefaultMajorVersion}")
            .WithPortBinding(FreePort.Choose(), ServerPort)
            .WithCommand([.. settings.SelectMany(setting => new[] { "-c", $"{setting.Key}={setting.Value}" })])
            .Build();
    }
}
