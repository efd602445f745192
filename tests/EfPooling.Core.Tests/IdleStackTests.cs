using EfPooling.Core.Tests.Harness;
using FsCheck;
using FsCheck.Fluent;

namespace EfPooling.Core.Tests;

public sealed class IdleStackTests
{
    private const int Capacity = 5;
    private static readonly object?[] Affinities = [null, "a", "b"];

    [Theory, InlineData(false), InlineData(true)]
    public void Stack_BehavesLikeAList(bool roundRobin)
    {
        var operations = (from kind in Gen.Choose(0, 4) from index in Gen.Choose(0, Capacity - 1) select (kind, index)).ListOf().ToArbitrary();
        Prop.ForAll(operations, list =>
        {
            var stack = new IdleStack<FakeConnection>(Capacity, roundRobin);
            var model = new List<Slot<FakeConnection>>();
            foreach (var (kind, index) in list)
            {
                if (kind <= 1 && model.Count < Capacity)
                {
                    var slot = new Slot<FakeConnection>(0) { Affinity = Affinities[index % 3] };
                    stack.Push(slot);
                    model.Add(slot);
                }
                else if (kind == 2 && model.Count > 0)
                {
                    var next = roundRobin ? 0 : model.Count - 1;
                    var wanted = Affinities[index % 3];
                    var sameAffinity = Enumerable.Range(0, model.Count).Where(i => model[i].Affinity == wanted).ToList();
                    next = sameAffinity.Count == 0 ? next : roundRobin ? sameAffinity[0] : sameAffinity[^1];
                    Assert.Same(model[next], stack.Pop(wanted));
                    model.RemoveAt(next);
                }
                else if (kind == 3 && index < model.Count)
                {
                    stack.RemoveAt(index);
                    model.RemoveAt(index);
                }

                Assert.Equal(model, Enumerable.Range(0, stack.Count).Select(i => stack[i]));
            }
        }).QuickCheckThrowOnFailure();
    }
}
