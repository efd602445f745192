using System.Collections.Concurrent;

namespace EfPooling.Interleavings;

/// <summary>Threads that run flows, used again by the next run. Used by one run at a time.</summary>
internal sealed class FlowThreads : IDisposable
{
    private readonly BlockingCollection<Action> _work = [];
    private readonly List<Thread> _threads = [];
    private readonly CountdownEvent _busy = new(1);
    private int _started;

    public void Start(Action act)
    {
        _busy.AddCount();
        if (++_started > _threads.Count)
        {
            var thread = new Thread(Serve) { IsBackground = true, Name = "flow" };
            _threads.Add(thread);
            thread.Start();
        }

        _work.Add(act);
    }

    public void WaitUntilIdle()
    {
        _busy.Signal();
        _busy.Wait();
        _busy.Reset();
        _started = 0;
    }

    public void Dispose()
    {
        _work.CompleteAdding();
        _threads.ForEach(thread => thread.Join());
        _work.Dispose();
        _busy.Dispose();
    }

    private void Serve()
    {
        var clean = ExecutionContext.Capture()!;
        foreach (var act in _work.GetConsumingEnumerable())
        {
            ExecutionContext.Run(clean, static act => ((Action)act!)(), act); // What a flow sets ends with it.
            _busy.Signal();
        }
    }
}
