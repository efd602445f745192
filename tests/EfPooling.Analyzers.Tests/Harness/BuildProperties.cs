using System.Reflection;

namespace EfPooling.Analyzers.Tests;

/// <summary>What the build of this project was told.</summary>
internal static class BuildProperties
{
    /// <summary>Where the repository is published, from <c>src/Repository.props</c>.</summary>
    public static string RepositoryAddress => Get("RepositoryAddress");

    public static string Get(string key)
        => typeof(BuildProperties).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(item => item.Key == key).Value!;
}
