using System.Data;
using EfPooling.Core;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>What a passenger is told, once.</summary>
public sealed class PassengerTests
{
    [Fact]
    public async Task Passenger_ThatCountsAsADriver_IsToldSo_EvenIfItIsCancelledAtTheSameMoment()
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
            var passenger = Create();
            passenger.StartWaiting();
            var waiting = passenger.WaitAsync(cancellation.Token).AsTask();
            start.SignalAndWait();
            if (passenger.TryPromote())
            {
                Assert.Equal(BoardingOutcome.Drive, await waiting);
            }
            else
            {
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
            }
        }

        await cancelling;
    }

    private static Passenger Create() => new(new NpgsqlCommand(), CommandBehavior.Default, 30, SettingMap.Empty, new BoardingRecord(null, isPureRead: true), new Holder());

    private sealed class Holder : ILeaseHolder
    {
        public LeaseScope Scope => LeaseScope.Reader;

        public string? Activity => null;
    }
}
