using EfPooling.Benchmarks;
using EfPooling.Benchmarks.Analyzers;
using EfPooling.Benchmarks.Load;
using EfPooling.Benchmarks.Load.Relay;
using EfPooling.Benchmarks.Load.Scenarios;
using EfPooling.Benchmarks.Query;

// One verb per kind of benchmark; a verb takes the rest of the line.
return args switch
{
    ["micro", .. var rest] => MicroVerb.Run(rest),
    ["overhead", .. var rest] => await OverheadVerb.RunAsync(rest),
    ["analyzers", .. var rest] => await AnalyzersVerb.RunAsync(rest),
    ["load", .. var rest] => await LoadVerb.RunAsync(rest),

    // Parts of "load" that it starts as processes of their own.
    [RelayVerb.Name, .. var rest] => await RelayVerb.RunAsync(rest),
    [ScaleVerb.Name] => await ScaleVerb.RunAsync(),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("Usage: dotnet run -c Release --project tests/EfPooling.Benchmarks -- <verb>");
    Console.Error.WriteLine("  micro [BenchmarkDotNet arguments]   cost of acquire and release in nanoseconds and bytes; no database");
    Console.Error.WriteLine("  overhead [--turns N]                what one caller's query costs compared with plain Npgsql; starts a server");
    Console.Error.WriteLine("  analyzers [--turns N]               what the analyzers cost a build of 1,000 files");
    Console.Error.WriteLine("  load [--quick] [--help]             many callers, compared with every other pool; starts the servers");
    return 1;
}
