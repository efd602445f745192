using System.Collections.Concurrent;
using System.Diagnostics;
using EfPooling.AdoNet.Sql;

namespace EfPooling.AdoNet;

/// <summary>
/// What the connections of a pool share for telling who met whom: the modes, the clock, the statements whose call sites are captured,
/// and the count of leases that wait for nested ones. Thread-safe.
/// </summary>
internal sealed class ConcurrencyGuard
{
    private const int MaxSuspects = 256;

    /// <summary>For a caller without a pool: captures nothing.</summary>
    public static readonly ConcurrencyGuard Default = new(new TransactionPoolingOptions(), null);

    private readonly TransactionPoolingOptions _options;
    private readonly TimeProvider? _time;
    private readonly ConcurrentDictionary<string, bool> _suspects = new(); // texts of operations that met another one
    private volatile bool _isCapturing; // set once and for good

    public ConcurrencyGuard(TransactionPoolingOptions options, TimeProvider? time)
    {
        (_options, _time) = (options, time);
        _isCapturing = options.CallSiteSampling == CallSiteSampling.Always;
        Nested = new NestedLeases(options.MaxPoolSize + options.ReservePoolSize);
    }

    public ConcurrentUseMode Mode => _options.ConcurrentUse;

    public NestedCommandMode NestedCommands => _options.NestedCommands;

    /// <summary>Whether some commands run beside the gate of their connection.</summary>
    public bool MayRunBeside => NestedCommands == NestedCommandMode.OwnServerConnection;

    /// <summary>How long a caller waits for another one in mode Serialize; zero is without limit.</summary>
    public TimeSpan QueueTimeout => _options.QueryWaitTimeout;

    public TimeProvider Time => _time ?? TimeProvider.System;

    public NestedLeases Nested { get; }

    /// <summary>Whether call sites are captured of any operation at all.</summary>
    public bool IsCapturing => _isCapturing;

#pragma warning disable RS0030 // The cheapest clock there is: every operation reads it.
    public long Now => _time is null ? Environment.TickCount64 : _time.GetTimestamp();
#pragma warning restore RS0030

    public TimeSpan Since(long at) => _time is null ? TimeSpan.FromMilliseconds(Now - at) : _time.GetElapsedTime(at);

    /// <summary>The stack, if operations of this text are to be captured: all are, or they have met another one.</summary>
    public StackTrace? CaptureFor(string? text)
    {
        var wanted = _options.CallSiteSampling == CallSiteSampling.Always || (text is not null && _suspects.ContainsKey(text));
        return wanted ? new StackTrace(1, fNeedFileInfo: true) : null;
    }

    /// <summary>The stack of a call that has no text, if all are captured.</summary>
    public StackTrace? Capture() => CaptureFor(text: null);

    /// <summary>What the caller is about to do, with its call site from the stack at this moment.</summary>
    /// <param name="kind">What it does.</param>
    /// <param name="source">Who does it.</param>
    /// <param name="activity">What it does, if the source has no SQL.</param>
    public static OperationInfo DescribeCaller(OperationKind kind, ICallSiteSource? source, string? activity)
    {
        var surroundings = OperationStart.Surroundings.Here;
        return new OperationInfo(kind)
        {
            CommandText = SqlText.ShortenOrNull(source?.Text) ?? activity,
            CallSite = CallSites.Find(new StackTrace(1, fNeedFileInfo: true)) ?? CallSites.Find(surroundings.Site) ?? CallSites.FindTag(source?.Text) ?? source?.Origin,
            ManagedThreadId = Environment.CurrentManagedThreadId,
            TraceId = surroundings.TraceId,
            SpanId = surroundings.SpanId,
        };
    }

    /// <summary>From now on the call sites of operations of this text are captured, so that the next meeting can name them.</summary>
    public void Suspect(string? text)
    {
        if (text is not null && _suspects.Count < MaxSuspects && _suspects.TryAdd(text, true))
        {
            _isCapturing = true;
        }
    }
}
