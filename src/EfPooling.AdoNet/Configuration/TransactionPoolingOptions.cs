using System.Globalization;
using EfPooling.Core;

namespace EfPooling.AdoNet;

/// <summary>Settings of a pool of PostgreSQL connections.</summary>
/// <remarks>
/// Order of precedence: the values set here, then the connection string's keywords (<c>Maximum Pool Size</c>, <c>Minimum Pool
/// Size</c>, <c>Connection Lifetime</c>, <c>Connection Idle Lifetime</c>, <c>Timeout</c>), then the defaults.
/// </remarks>
public partial record TransactionPoolingOptions : PoolOptions
{
    private static readonly TimeSpan LongestPoolIdleTimeout = TimeSpan.FromDays(24); // The limit of every other time too.

    /// <summary>When a server connection goes back to the pool (PgBouncer <c>pool_mode</c>).</summary>
    /// <value>Default <see cref="PoolMode.Transaction"/>; PgBouncer's is session.</value>
    public PoolMode PoolMode { get; set; } = PoolMode.Transaction;

    /// <summary>What happens to a statement that needs a PostgreSQL session of its own: <c>LISTEN</c>, temporary tables, session locks.</summary>
    /// <value>Default <see cref="SessionStatePolicy.Throw"/>. No effect in session mode.</value>
    public SessionStatePolicy SessionState { get; set; }

    /// <summary>When a server connection is reset before its next owner gets it (PgBouncer <c>server_reset_query</c>, <c>server_reset_query_always</c>).</summary>
    /// <value>Default <see cref="ResetPolicy.Smart"/>.</value>
    public ResetPolicy ResetPolicy { get; set; }

    /// <summary>
    /// How long the pool trusts its last look at the database's functions, views, triggers, policies and types. They decide which
    /// statements leave nothing in a session and which reads may share a round trip. Not a PgBouncer setting.
    /// </summary>
    /// <remarks>
    /// A look adds one round trip to the end of one lease. The pool also looks after a text of a new shape, and after statements
    /// that may have changed the schema through this pool.
    /// </remarks>
    /// <value>
    /// Default 1 s; at most a day. Zero looks at the end of every lease. <see cref="Timeout.InfiniteTimeSpan"/> never looks
    /// again: call <see cref="TransactionPoolingDataSource.ReloadTypes"/> after each change.
    /// </value>
    public TimeSpan SchemaCheckInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Your functions, procedures and aggregates that leave nothing in the session although the pool cannot prove it: their
    /// language is not read by the pool, they run dynamic SQL, or they call functions unknown to the pool. Not a PgBouncer
    /// setting.
    /// </summary>
    /// <remarks>
    /// If such a function changes its session, the next caller gets the changed session. A function that is volatile to
    /// PostgreSQL still runs alone. Names are as PostgreSQL stores them: in lower case unless they were quoted, with a schema
    /// (<c>sales.total</c>) or without. A name without a schema trusts all namesakes.
    /// </remarks>
    /// <value>Default none.</value>
    public IReadOnlyList<string> TrustedFunctions { get; set; } = [];

    /// <summary>
    /// Schemas all of whose functions are trusted like <see cref="TrustedFunctions"/>, for example those of an extension.
    /// </summary>
    /// <value>Default none.</value>
    public IReadOnlyList<string> TrustedSchemas { get; set; } = [];

    /// <summary>
    /// Whether asynchronous reads of several callers share server connections and round trips while no server connection is free.
    /// Not a PgBouncer setting.
    /// </summary>
    /// <value>Default <see cref="MultiplexingMode.Auto"/>. No effect in session mode or with <see cref="Shuffle"/>.</value>
    public MultiplexingMode Multiplexing { get; set; }

    /// <summary>
    /// For test suites. Every transaction, and every command outside one, gets another server connection than the one before,
    /// freshly reset or with foreign session state. Code that secretly depends on its session then fails in its own tests.
    /// </summary>
    /// <value>
    /// Default <c>false</c>, or the value of the runtime switch <c>EfPooling.Shuffle</c> (<see cref="AppContext.SetSwitch"/>).
    /// Keeps at least two server connections open. With a <see cref="PoolOptions.MaxPoolSize"/> of 1 the one connection is reset.
    /// No effect in session mode.
    /// </value>
    public bool Shuffle { get; set; } = AppContext.TryGetSwitch("EfPooling.Shuffle", out var isOn) && isOn;

    /// <summary>Whether shuffling is on and has an effect: in session mode a connection keeps its session.</summary>
    internal bool Shuffles => Shuffle && !KeepsSession;

    /// <summary>Whether an open connection keeps one session until it is closed.</summary>
    internal bool KeepsSession => PoolMode == PoolMode.Session;

    /// <summary>
    /// Whether each statement is a transaction of its own, so that there are neither transactions nor sessions.
    /// </summary>
    internal bool RunsSingleStatements => PoolMode == PoolMode.Statement;

    /// <summary>
    /// For tests and staging. After a lease whose statements were judged to leave their session unchanged, the session is
    /// compared with its earlier state: settings, users, prepared statements, cursors, temporary objects, session locks,
    /// channels, the seed of <c>random()</c>. A difference throws <see cref="SessionChangedException"/>. Not a PgBouncer setting.
    /// </summary>
    /// <value>
    /// Default <c>false</c>, or the value of the runtime switch <c>EfPooling.VerifySessions</c>. Part of <see cref="Shuffle"/>.
    /// Costs several round trips per lease, and reads share none. No effect with <see cref="ResetPolicy.Never"/>.
    /// </value>
    public bool VerifySessions { get; set; } = AppContext.TryGetSwitch("EfPooling.VerifySessions", out var verifies) && verifies;

    /// <summary>
    /// How long an unused pool without an explicit owner is kept: one that contexts share, that
    /// <see cref="TransactionPoolingFactory"/> made, or that was reached from another pool by changing the database. After that
    /// it closes its server connections, whatever <see cref="PoolOptions.MinPoolSize"/> says, forgets the catalog and is removed.
    /// Not a PgBouncer setting.
    /// </summary>
    /// <remarks>
    /// A pool is used while one of its connections is open, a lease runs, a caller waits or a subscription exists. A context or
    /// connection that still has such a pool continues to work: the pool opens server connections again, and callers with the
    /// same settings get the same pool. No effect on a <see cref="TransactionPoolingDataSource"/> that you created, which is
    /// yours to dispose.
    /// </remarks>
    /// <value>
    /// Default 1 h. The actual time may be a quarter longer, at most two minutes. Zero keeps the pool for the life of the
    /// process.
    /// </value>
    public TimeSpan PoolIdleTimeout { get; set; } = TimeSpan.FromHours(1);

    /// <summary>
    /// What happens to a second operation while one is running on the same connection or context. Not a PgBouncer setting.
    /// </summary>
    /// <value>Default <see cref="ConcurrentUseMode.Throw"/>.</value>
    public ConcurrentUseMode ConcurrentUse { get; set; } = ConcurrentUseMode.Throw;

    /// <summary>What happens to a command that starts while a reader of the same connection is open and idle. Not a PgBouncer setting.</summary>
    /// <value>Default <see cref="NestedCommandMode.Refuse"/>, which is what Npgsql does.</value>
    public NestedCommandMode NestedCommands { get; set; } = NestedCommandMode.Refuse;

    /// <summary>
    /// Which operations have their stack captured when they begin, so that <see cref="ConcurrentUseException"/> names the call
    /// site of the running operation. Not a PgBouncer setting.
    /// </summary>
    /// <value>
    /// Default <see cref="CallSiteSampling.Conflicts"/>: statements that have been part of a conflict, from then on. Use
    /// <see cref="CallSiteSampling.Always"/> in development and tests.
    /// </value>
    public CallSiteSampling CallSiteSampling { get; set; } = CallSiteSampling.Conflicts;

    internal DeclaredSettings DeclaredSettings { get; set; } = DeclaredSettings.None;

    /// <summary>
    /// How many notifications wait at most for one subscriber of <see cref="TransactionPoolingDataSource.SubscribeAsync"/>. A
    /// subscriber that falls further behind receives a gap instead of them. Not a PgBouncer setting.
    /// </summary>
    /// <value>Default 10,000. Range 1 to 1,000,000.</value>
    public int NotificationBacklog { get; set; } = 10_000;

    /// <inheritdoc/>
    protected internal override void Validate(ICollection<string> errors)
    {
        ArgumentNullException.ThrowIfNull(errors);
        base.Validate(errors);
        if (!Enum.IsDefined(PoolMode))
        {
            errors.Add($"PoolMode is {(int)PoolMode}; it must be Transaction, Session or Statement.");
        }

        if (!Enum.IsDefined(SessionState))
        {
            errors.Add($"SessionState is {(int)SessionState}; it must be Throw or Pin.");
        }

        if (!Enum.IsDefined(ResetPolicy))
        {
            errors.Add($"ResetPolicy is {(int)ResetPolicy}; it must be Smart, Always or Never.");
        }

        if (!Enum.IsDefined(Multiplexing))
        {
            errors.Add($"Multiplexing is {(int)Multiplexing}; it must be Auto or Off.");
        }

        if (!Enum.IsDefined(ConcurrentUse))
        {
            errors.Add($"ConcurrentUse is {(int)ConcurrentUse}; it must be Throw or Serialize.");
        }

        if (!Enum.IsDefined(NestedCommands))
        {
            errors.Add($"NestedCommands is {(int)NestedCommands}; it must be Refuse or OwnServerConnection.");
        }

        if (PoolIdleTimeout < TimeSpan.Zero || PoolIdleTimeout > LongestPoolIdleTimeout)
        {
            errors.Add(string.Create(CultureInfo.InvariantCulture, $"PoolIdleTimeout is {PoolIdleTimeout}; it must be between zero and {LongestPoolIdleTimeout.TotalDays:0} days."));
        }

        if (!Enum.IsDefined(CallSiteSampling))
        {
            errors.Add($"CallSiteSampling is {(int)CallSiteSampling}; it must be Conflicts or Always.");
        }

        if ((SchemaCheckInterval < TimeSpan.Zero || SchemaCheckInterval > TimeSpan.FromDays(1)) && SchemaCheckInterval != Timeout.InfiniteTimeSpan)
        {
            errors.Add(string.Create(CultureInfo.InvariantCulture, $"SchemaCheckInterval is {SchemaCheckInterval}; it must be between zero and a day, or Timeout.InfiniteTimeSpan."));
        }

        if (TrustedFunctions.Any(string.IsNullOrWhiteSpace) || TrustedSchemas.Any(string.IsNullOrWhiteSpace))
        {
            errors.Add("TrustedFunctions and TrustedSchemas must not have empty names.");
        }

        if (NotificationBacklog is < 1 or > 1_000_000)
        {
            errors.Add(string.Create(CultureInfo.InvariantCulture, $"NotificationBacklog is {NotificationBacklog}; it must be between 1 and 1000000."));
        }
    }
}
