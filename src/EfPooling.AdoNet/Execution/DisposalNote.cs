using System.Diagnostics;
using System.Globalization;

namespace EfPooling.AdoNet;

/// <summary>Where and when something was disposed or closed, for the message of a later use. The default value: it was not.</summary>
internal struct DisposalNote
{
    private int _threadId; // zero: not disposed
    private long _at;
    private StackTrace? _trace; // if sampled, or if an operation was running at that moment
    private string? _running; // the operation that was

    public readonly bool IsSet => _threadId != 0;

    /// <param name="guard">The pool's; <c>null</c> if there never was a pool.</param>
    /// <param name="running">What was running at this moment.</param>
    public void Set(ConcurrencyGuard? guard, OperationInfo? running)
    {
        if (IsSet)
        {
            return;
        }

        _at = guard?.Now ?? 0;
        _trace = running is null ? guard?.Capture() : new StackTrace(1, fNeedFileInfo: true);
        _running = running?.ToString();
        _threadId = Environment.CurrentManagedThreadId;
    }

    public void Clear() => this = default;

    /// <summary>Where it was disposed and where it is used now, as the end of a sentence.</summary>
    public readonly string Describe(ConcurrencyGuard? guard)
    {
        var age = guard is null ? "" : string.Create(CultureInfo.InvariantCulture, $" {guard.Since(_at).TotalSeconds:0.###} s ago");
        var where = CallSites.Find(_trace) is { } site ? $" at {site}" : $" (set CallSiteSampling to Always to know where)";
        var running = _running is null ? "" : $" while {_running} was running";
        var now = CallSites.Find(new StackTrace(1, fNeedFileInfo: true)) is { } user ? $", and is used at {user}" : "";
        return string.Create(CultureInfo.InvariantCulture, $"on thread {_threadId}{age}{where}{running}{now}");
    }

    public readonly ObjectDisposedException Refuse(string name, ConcurrencyGuard? guard, string remedy)
        => new(name, $"This {name} was disposed {Describe(guard)}. {remedy}");
}
