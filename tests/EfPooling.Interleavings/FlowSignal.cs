namespace EfPooling.Interleavings;

/// <summary>Lets one flow wait for another one.</summary>
public sealed class FlowSignal
{
    private readonly TaskCompletionSource _set = SwitchPoint.OnCreated(new TaskCompletionSource());

    public void Set() => _set.SetResult();

    public void Wait() => SwitchPoint.Wait(_set.Task, CancellationToken.None);
}
