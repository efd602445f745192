using System.Data;
using EfPooling.Core;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>What a batched read is told, once.</summary>
public sealed class BatchedReadTests
{
    [Fact]
    public async Task BatchedRead_ThatCountsAsALeader_IsToldSo_EvenIfItIsCancelledAtTheSameMoment()
    {
        const int Rounds = 2_000;
        var cancellations = Enumerable.Range(0, Rounds).Select(_ => new CancellationTokenSource()).ToArray();
        using var start = new Barrier(2);
        var cancelling = Task.Factory.StartNew(() =>
        {
            foreach (var cancellation in cancellations)
            {
                start.SignalAndWait();
                cancellation.Cancel();
            }
        }, TaskCreationOptions.LongRunning);
        foreach (var cancellation in cancellations)
        {
            var read = Create();
            read.StartWaiting();
            var waiting = read.WaitAsync(cancellation.Token).AsTask();
            start.SignalAndWait();
            if (read.TryPromote())
            {
                Assert.Equal(BatchOutcome.Lead, await waiting);
            }
            else
            {
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
            }
        }

        await cancelling;
    }

    private static BatchedRead Create() => new(new NpgsqlCommand(), CommandBehavior.Default, 30, SettingMap.Empty, new EligibilityRecord(null, isPureRead: true), new Holder());

    private sealed class Holder : ILeaseHolder
    {
        public LeaseScope Scope => LeaseScope.Reader;

        public string? Activity => null;
    }
}
