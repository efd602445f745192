using System.Globalization;

namespace EfPooling.AdoNet.Tests;

/// <summary>Where random tests begin.</summary>
internal static class Seed
{
    /// <summary>From the environment variable <c>EFPOOLING_SEED</c>, or by chance; prints it in the form in which it can be set.</summary>
    public static int Choose(ITestOutputHelper output)
    {
        var seed = Environment.GetEnvironmentVariable("EFPOOLING_SEED") is { Length: > 0 } given
            ? int.Parse(given, CultureInfo.InvariantCulture)
            : Random.Shared.Next(1_000_000);
        output.WriteLine($"EFPOOLING_SEED={seed}");
        return seed;
    }
}
