namespace EfPooling.Core.Tests.Harness;

/// <summary>An open that the test decides. The pool has dealt with the outcome when the method returns.</summary>
internal sealed class PendingOpen(FakeConnector connector, CancellationToken cancellationToken)
{
    // No asynchronous continuations: the pool goes on inside Succeed and Fail.
    private readonly TaskCompletionSource<FakeConnection> _outcome = new();

    public Task<FakeConnection> Task => _outcome.Task;

    public CancellationToken CancellationToken { get; } = cancellationToken;

    public FakeConnection Succeed()
    {
        var connection = connector.Create();
        Decide(() => _outcome.SetResult(connection));
        return connection;
    }

    public void Fail(Exception error) => Decide(() => _outcome.SetException(error));

    private void Decide(Action outcome)
    {
        connector.Forget(this);

        // Under the test runner's context the pool would go on elsewhere.
        var context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            outcome();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }
}
