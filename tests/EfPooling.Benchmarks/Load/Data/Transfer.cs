namespace EfPooling.Benchmarks.Load.Data;

/// <summary>What one transaction of <c>tpcb</c> does.</summary>
internal readonly record struct Transfer(int AccountId, int TellerId, int BranchId, int Delta)
{
    public static Transfer Next(Random random) => new(
        random.Next(BenchData.Accounts), random.Next(BenchData.Tellers), random.Next(BenchData.Branches), random.Next(-5_000, 5_001));
}
