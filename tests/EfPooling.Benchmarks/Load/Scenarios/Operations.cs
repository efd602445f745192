using EfPooling.Benchmarks.Load.Apis;
using EfPooling.Benchmarks.Load.Data;
using EfPooling.Benchmarks.Load.Measuring;

namespace EfPooling.Benchmarks.Load.Scenarios;

/// <summary>What callers do in the scenarios.</summary>
internal static class Operations
{
    private const double ShareOfReads = 0.8;

    private static readonly TimeSpan Work = TimeSpan.FromMilliseconds(20);

    public static Task ReadItemAsync(IDataApi api, Caller caller) => api.ReadItemAsync(NextItem(caller));

    public static Task ReadPageAsync(IDataApi api, Caller caller) => api.ReadPageAsync(caller.Random.Next(BenchData.Pages));

    public static Task ReadOrUpdateAsync(IDataApi api, Caller caller)
        => caller.Random.NextDouble() < ShareOfReads ? api.ReadItemAsync(NextItem(caller)) : api.UpdateItemAsync(NextItem(caller));

    public static Task TransferAsync(IDataApi api, Caller caller) => api.TransferAsync(Transfer.Next(caller.Random));

    public static Task HoldAsync(IDataApi api, Caller caller) => api.HoldAsync(NextItem(caller), NextItem(caller), () => caller.WorkAsync(Work));

    private static int NextItem(Caller caller) => caller.Random.Next(BenchData.Items);
}
