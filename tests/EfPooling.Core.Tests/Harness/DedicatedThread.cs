namespace EfPooling.Core.Tests.Harness;

/// <summary>Runs blocking code without a thread of the thread pool.</summary>
internal static class DedicatedThread
{
    public static Task<TResult> Run<TResult>(Func<TResult> body)
    {
        var outcome = new TaskCompletionSource<TResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            try
            {
                outcome.SetResult(body());
            }
            catch (OperationCanceledException error)
            {
                outcome.SetCanceled(error.CancellationToken);
            }
            catch (Exception error)
            {
                outcome.SetException(error);
            }
        })
        {
            IsBackground = true,
        };
        thread.Start();
        return outcome.Task;
    }

    public static Task Run(Action body) => Run(() =>
    {
        body();
        return 0;
    });
}
