using System.Globalization;
using System.Net.Sockets;
using DotNet.Testcontainers.Builders;
using EfPooling.Dev.Local;
using Microsoft.Extensions.Logging.Abstractions;
using Testcontainers.PostgreSql;

namespace EfPooling.Dev.Sources;

/// <summary>Way 3: a container, if a Docker engine answers.</summary>
/// <param name="engine">Where the engine listens; null looks for one as Docker's own tools do.</param>
internal sealed class TestcontainersSource(Uri? engine = null) : IServerSource
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
            return NoEngine(e);
        }

        try
        {
            await container.StartAsync(cancellationToken).ConfigureAwait(false);
            return SourceAnswer.Found(new ContainerServer(container));
        }
        catch (Exception e)
        {
            await container.DisposeAsync().ConfigureAwait(false);
            if (e is DockerUnavailableException or { InnerException: SocketException })
            {
                return NoEngine(e);
            }

            throw;
        }
    }

    /// <summary>The first line says what is missing; the others are about Testcontainers' own configuration.</summary>
    private static SourceAnswer NoEngine(Exception exception)
        => SourceAnswer.NotHere("no engine answers; " + exception.Message.ReplaceLineEndings("\n").Split('\n')[0]);

    private PostgreSqlContainer Build(DevPostgresOptions options)
    {
        var settings = new Dictionary<string, string>(options.Settings, StringComparer.OrdinalIgnoreCase)
        {
            ["max_connections"] = options.MaxConnections.ToString(CultureInfo.InvariantCulture),
        };

        // A port that Docker chooses would change with every restart.
        var builder = new PostgreSqlBuilder($"postgres:{options.MajorVersion ?? DefaultMajorVersion}")
            .WithLogger(NullLogger.Instance)
            .WithPortBinding(FreePort.Choose(), ServerPort)
            .WithCommand([.. settings.SelectMany(setting => new[] { "-c", $"{setting.Key}={setting.Value}" })]);
        return (engine is null ? builder : builder.WithDockerEndpoint(engine)).Build();
    }
}
