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
        connector.Forget(this);
        _outcome.SetResult(connection);
        return connection;
    }

    public void Fail(Exception error)
    {
        connector.Forget(this);
        _outcome.SetException(error);
    }
}
