namespace EfPooling.Dev.Sources;

/// <summary>A server, or what keeps a way from giving one and how to change that. Exactly one is not null.</summary>
internal sealed record SourceAnswer(IServerControl? Server, string? WhyNot)
{
    public static SourceAnswer Found(IServerControl server) => new(server, null);

    public static SourceAnswer NotHere(string whyNot) => new(null, whyNot);
}
