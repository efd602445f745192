using System.Globalization;

namespace EfPooling.Benchmarks.Load.Relay;

/// <summary>
/// A relay as a process of its own, so that what it uses is not counted as the client's. Takes the target's host and port and the one-way delay in
/// microseconds, writes the port that it listens on, and ends when standard input does.
/// </summary>
internal static class RelayVerb
{
    public const string Name = "relay";

    public static async Task<int> RunAsync(string[] args)
    {
        var targetPort = int.Parse(args[1], CultureInfo.InvariantCulture);
        var delay = TimeSpan.FromMicroseconds(int.Parse(args[2], CultureInfo.InvariantCulture));
        await using var relay = new DelayRelay(args[0], targetPort, delay);
        await Console.Out.WriteLineAsync(relay.Port.ToString(CultureInfo.InvariantCulture));
        await Console.Out.FlushAsync();
        await Console.In.ReadLineAsync();
        return 0;
    }
}
