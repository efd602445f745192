using EfPooling.Core.Tests.Harness;

namespace EfPooling.Core.Tests.Stress;

internal sealed class RandomCaller(int arrival)
{
    public int Arrival { get; } = arrival;

    public CancellationTokenSource Cancellation { get; } = new();

    public Task<Lease<FakeConnection>> Call { get; set; } = null!;
}
