using System.Diagnostics;
using EfPooling.AdoNet.Sql;

namespace EfPooling.AdoNet;

/// <summary>
/// When, where and by whom an operation was started. Written by the holder of the gate, without allocating; read by others only to
/// describe it, who may see a start that has just ended.
/// </summary>
internal struct OperationStart
{
    private OperationKind _kind;
    private int _threadId;
    private long _at; // zero while nothing runs
    private ExecutionContext? _context;
    private ICallSiteSource? _source;
    private object? _site; // a stack trace; null unless sampled

    /// <summary>The captured stack; <c>null</c> if it was not.</summary>
    public readonly object? Site => _site;

    /// <summary>The text or name by which the guard knows operations of this sort.</summary>
    public readonly string? Key => _context is null && _source is null ? null : _source?.Text ?? _kind.ToString();

    /// <summary>Notes an operation that begins now, on this thread.</summary>
    public void Begin(ConcurrencyGuard guard, OperationKind kind, ICallSiteSource? source)
    {
        _kind = kind;
        _threadId = Environment.CurrentManagedThreadId;
        _at = guard.Now;
        _context = ExecutionContext.Capture();
        if (!ReferenceEquals(_source, source))
        {
            _source = source; // Storing a reference costs more than comparing it.
        }

        if (guard.IsCapturing)
        {
            _site = guard.CaptureFor(source?.Text ?? kind.ToString());
        }
    }

    /// <summary>Lets go of what the application's flow holds.</summary>
    public void Clear()
    {
        _at = 0;
        _context = null;
        if (_site is not null)
        {
            _site = null;
        }
    }

    /// <summary>
    /// Whether the caller looks like the flow that began this. The same execution context, or the same thread, speaks for it; another
    /// context on another thread against it. A task that is started without changing any async-local value shares its parent's
    /// context and is taken for its parent, so both kinds of message name both call sites.
    /// </summary>
    public readonly bool LooksLikeThisFlow()
        => _threadId == Environment.CurrentManagedThreadId
            || ReferenceEquals(GuardFlow.Origin(_context), GuardFlow.Origin(ExecutionContext.Capture()));

    /// <param name="guard">The pool's.</param>
    /// <param name="activity">What it does, if it has no SQL.</param>
    public readonly OperationInfo Describe(ConcurrencyGuard guard, string? activity)
    {
        var (at, source) = (_at, _source);
        var surroundings = Surroundings.Of(_context);
        return new OperationInfo(_kind)
        {
            CommandText = SqlText.ShortenOrNull(source?.Text) ?? activity,
            CallSite = CallSites.Find(_site as StackTrace) ?? CallSites.Find(surroundings.Site) ?? CallSites.FindTag(source?.Text) ?? source?.Origin,
            Duration = at == 0 ? TimeSpan.Zero : guard.Since(at),
            ManagedThreadId = _threadId,
            TraceId = surroundings.TraceId,
            SpanId = surroundings.SpanId,
        };
    }

    /// <summary>What an execution context says about the flow it belongs to. Read only when two operations meet.</summary>
    /// <param name="TraceId">W3C trace id of the current activity.</param>
    /// <param name="SpanId">W3C span id of the same.</param>
    /// <param name="Site">Captured where the application entered its context; <c>null</c> unless sampled.</param>
    internal readonly record struct Surroundings(string? TraceId, string? SpanId, StackTrace? Site)
    {
        public static Surroundings Of(ExecutionContext? context)
        {
            var result = default(Surroundings);
            if (context is not null)
            {
                ExecutionContext.Run(context, _ => result = Here, null);
            }

            return result;
        }

        public static Surroundings Here
            => new(Activity.Current?.TraceId.ToString(), Activity.Current?.SpanId.ToString(), GuardFlow.Current?.Site as StackTrace);
    }
}
