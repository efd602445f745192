namespace EfPooling.Dev.Sources;

/// <summary>Way 1: a server that runs already and that <c>EFPOOLING_POSTGRES</c> names.</summary>
/// <param name="environment">Gives the value of an environment variable, or null.</param>
internal sealed class ConnectionStringSource(Func<string, string?> environment) : IServerSource
{
    public const string Variable = "EFPOOLING_POSTGRES";

    public string Name => "an Npgsql connection string in " + Variable;

    public async Task<SourceAnswer> TryStartAsync(DevPostgresOptions options, CancellationToken cancellationToken)
    {
        if (environment(Variable) is not { Length: > 0 } connectionString)
        {
            return SourceAnswer.NotHere("not set");
        }

        if (options.MajorVersion is { } wanted)
        {
            var found = await new Administration(connectionString, options.TimeProvider)
                .ReadVersionAsync(cancellationToken).ConfigureAwait(false);
            if (found.Major != wanted)
            {
                return SourceAnswer.NotHere($"names a server of version {found}");
            }
        }

        return SourceAnswer.Found(new ExternalServer(connectionString));
    }
}
