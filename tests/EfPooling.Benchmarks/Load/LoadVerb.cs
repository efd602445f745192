using System.CommandLine;
using EfPooling.Benchmarks.Load.Apis;
using EfPooling.Benchmarks.Load.Measuring;
using EfPooling.Benchmarks.Load.Peers;
using EfPooling.Benchmarks.Load.Scenarios;

namespace EfPooling.Benchmarks.Load;

/// <summary>The command line of the load harness.</summary>
internal static class LoadVerb
{
    private static readonly Option<string[]> Scenario = Names("--scenario", "What is compared.", ScenarioCatalogue.Names, [ScenarioCatalogue.All]);
    private static readonly Option<string[]> Api = Names("--api", "Through which APIs; by default all, with --quick ADO.NET alone in all scenarios but point-reads.", ApiNames.All, []);
    private static readonly Option<string[]> Peers = Names("--peer", "Who is compared.", [.. AllPeers.List.Select(peer => peer.Name)], [.. AllPeers.List.Select(peer => peer.Name)]);

    private static readonly Option<double> Seconds = new("--seconds") { Description = "How long a slice of one peer is measured.", DefaultValueFactory = _ => 5 };
    private static readonly Option<int> Rounds = new("--rounds") { Description = "How often each peer has its turn.", DefaultValueFactory = _ => 5 };
    private static readonly Option<string?> Out = new("--out") { Description = "Directory for tables, charts and JSON." };
    private static readonly Option<bool> Quick = new("--quick") { Description = "A short form in less than a minute, to see that everything works; its numbers say little." };

    public static Task<int> RunAsync(string[] args)
    {
        Positive(Seconds, result => result.GetValue(Seconds) is > 0 and <= 3_600, "between 0 and 3600");
        Positive(Rounds, result => result.GetValue(Rounds) is >= 1 and <= 1_000, "between 1 and 1000");
        var command = new RootCommand("Compares EfPooling with other ways to share server connections. Starts its own servers.") { Scenario, Api, Peers, Seconds, Rounds, Out, Quick };
        command.SetAction(result => LoadRun.RunAsync(Read(result)));
        return command.Parse(args).InvokeAsync();
    }

    private static LoadOptions Read(ParseResult result)
    {
        var isQuick = result.GetValue(Quick);
        var seconds = result.GetValue(Seconds);
        var times = isQuick
            ? new SliceTimes(TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(80))
            : new SliceTimes(TimeSpan.FromSeconds(Math.Min(1, seconds / 5)), TimeSpan.FromSeconds(seconds));
        return new LoadOptions(
            result.GetValue(Scenario)!,
            result.GetValue(Api) is { Length: > 0 } apis ? [.. ApiNames.All.Where(apis.Contains)] : null,
            result.GetValue(Peers)!,
            times,
            isQuick ? 1 : result.GetValue(Rounds),
            result.GetValue(Out),
            isQuick);
    }

    private static Option<string[]> Names(string name, string description, IReadOnlyList<string> allowed, IReadOnlyList<string> all)
    {
        var option = new Option<string[]>(name) { Description = description, AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [.. all] };
        return option.AcceptOnlyFromAmong([.. allowed]);
    }

    private static void Positive(Option option, Func<System.CommandLine.Parsing.OptionResult, bool> isInRange, string range)
        => option.Validators.Add(result =>
        {
            if (!result.Errors.Any() && !isInRange(result))
            {
                result.AddError($"{option.Name} must be {range}.");
            }
        });
}
