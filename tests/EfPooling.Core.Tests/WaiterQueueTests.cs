using EfPooling.Core.Tests.Harness;
using FsCheck;
using FsCheck.Fluent;

namespace EfPooling.Core.Tests;

public sealed class WaiterQueueTests
{
    [Fact]
    public void Queue_BehavesLikeAList_InWhichWhoWaitsLongestComesFirst()
    {
        // An operation and the waiter that it concerns, counted from the first that ever queued.
        var operations = (from kind in Gen.Choose(0, 3) from index in Gen.Choose(0, 30) from since in Gen.Choose(0, 5) select (kind, index, since)).ListOf().ToArbitrary();
        Prop.ForAll(operations, list =>
        {
            var queue = new WaiterQueue<FakeConnection>();
            var model = new List<Waiter<FakeConnection>>();
            var everybody = new List<Waiter<FakeConnection>>();
            var entitled = new HashSet<Waiter<FakeConnection>>();
            foreach (var (kind, index, since) in list)
            {
                if (kind <= 1 || everybody.Count == 0)
                {
                    var waiter = new Waiter<FakeConnection>(null, since);
                    queue.Enqueue(waiter);
                    model.Insert(model.FindLastIndex(other => other.Since <= since) + 1, waiter);
                    everybody.Add(waiter);
                }
                else
                {
                    var waiter = everybody[index % everybody.Count];
                    if (kind == 2)
                    {
                        Assert.Equal(model.Remove(waiter), queue.Remove(waiter));
                        entitled.Remove(waiter);
                    }
                    else
                    {
                        Assert.Equal(model.Contains(waiter) && entitled.Add(waiter), queue.Entitle(waiter));
                    }
                }

                AssertSame(model, queue);
                Assert.Equal(entitled.Count, queue.Entitled);
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Remove_OfAWaiterThatNeverQueued_IsFalse()
        => Assert.False(new WaiterQueue<FakeConnection>().Remove(new Waiter<FakeConnection>(null)));

    private static void AssertSame(List<Waiter<FakeConnection>> model, WaiterQueue<FakeConnection> queue)
    {
        Assert.Equal(model.Count, queue.Count);
        var waiter = queue.First;
        foreach (var expected in model)
        {
            Assert.Same(expected, waiter);
            Assert.True(waiter!.IsQueued);
            Assert.Same(waiter.Next?.Previous ?? waiter, waiter);
            waiter = waiter.Next;
        }

        Assert.Null(waiter);
    }
}
