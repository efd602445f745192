using System.Diagnostics;
using EfPooling.Architecture.Flows;

// Without "--recorded", a copy that records runs in place of this program.
if (args is [var connectionString])
{
    var folder = Directory.CreateTempSubdirectory("efpooling-flows");
    try
    {
        Rewriter.Copy(AppContext.BaseDirectory, folder.FullName);
        var start = new ProcessStartInfo("dotnet", [Path.Combine(folder.FullName, "EfPooling.Architecture.Flows.dll"), "--recorded", connectionString]);
        using var copy = Process.Start(start)!;
        await copy.WaitForExitAsync();
        return copy.ExitCode;
    }
    finally
    {
        folder.Delete(recursive: true);
    }
}

if (args is not ["--recorded", var database])
{
    Console.Error.WriteLine("Usage: EfPooling.Architecture.Flows <connection string>");
    return 2;
}

await using var flows = new Flows(database);
await flows.PrepareAsync();
await PrintAsync("lone SELECT", FlowRecorder.RecordAsync, record => record(flows.ReadAsync));
await PrintAsync("four reads that share a round trip", FlowRecorder.RecordAsync, flows.ShareReadsAsync);
await PrintAsync("SaveChanges in a transaction", FlowRecorder.RecordAsync, flows.SaveChangesAsync);
return 0;

// The smallest of several runs: the first ones meet caches that are empty, and threads may take turns.
static async Task PrintAsync(string name, Func<Func<Task>, Task<(int Types, int Changes)>> recorder, Func<Func<Func<Task>, Task>, Task> run)
{
    var best = (Types: int.MaxValue, Changes: int.MaxValue);
    for (var i = 0; i < 20; i++)
    {
        await run(async flow =>
        {
            var (types, changes) = await recorder(flow);
            best = (Math.Min(types, best.Types), Math.Min(changes, best.Changes));
        });
    }

    Console.WriteLine($"{name}: {best.Types} types, {best.Changes} changes of type");
}
