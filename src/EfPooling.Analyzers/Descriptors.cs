using System.Reflection;
using Microsoft.CodeAnalysis;

namespace EfPooling.Analyzers;

/// <summary>
/// What each rule says: what is wrong, why under transaction pooling, what to write. Never an error by default, because no analyzer can
/// prove that pooling is on.
/// </summary>
internal static class Descriptors
{
    // Where the pages of docs/rules are read: the build says, from src/Repository.props. First of all fields, because the others need it.
    private static readonly string RulesAddress
        = typeof(Descriptors).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(item => item.Key == nameof(RulesAddress)).Value;

    // ---- EFP0001
    public static readonly DiagnosticDescriptor SessionSetting = new(
        DiagnosticIds.SessionSetting,
        "Session-level setting outlives the transaction",
        "'{0}' sets a value for the session, but under transaction pooling it is lost when the connection closes, which EF Core does after every operation. "
            + "Declare it with SessionSetting(...) in UseTransactionPooling, or write {1} inside a transaction.",
        Categories.SessionState,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink(DiagnosticIds.SessionSetting));

    // ---- EFP0002
    public static readonly DiagnosticDescriptor OverlappingOperations = new(
        DiagnosticIds.OverlappingOperations,
        "Overlapping operations on one context or connection",
        "'{0}' starts while {1} may still be running on '{2}', which does one thing at a time: under transaction pooling the second one throws ConcurrentUseException. "
            + "Await one before the next, or give each a context or connection of its own (IDbContextFactory, OpenConnectionAsync).",
        Categories.Concurrency,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink(DiagnosticIds.OverlappingOperations));

    // ---- EFP0003
    public static readonly DiagnosticDescriptor SessionLock = new(
        DiagnosticIds.SessionLock,
        "Session-level advisory lock",
        "'{0}' takes a lock that belongs to the session, and no COMMIT gives it back. Under transaction pooling it throws SessionStateException, because the session "
            + "serves the next caller. Use {1} inside a transaction, or take a session with LeaseSessionAsync.",
        Categories.SessionState,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink(DiagnosticIds.SessionLock));

    // ---- EFP0004
    public static readonly DiagnosticDescriptor SessionFeature = new(
        DiagnosticIds.SessionFeature,
        "Session-bound SQL feature",
        "{0} binds {2} to one PostgreSQL session, but under transaction pooling {3} another one: it throws SessionStateException. "
            + "Use {1}, or take a session with LeaseSessionAsync.",
        Categories.SessionState,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink(DiagnosticIds.SessionFeature));

    // ---- EFP0005
    public static readonly DiagnosticDescriptor TemporaryObject = new(
        DiagnosticIds.TemporaryObject,
        "Temporary object outlives the transaction",
        "'{0}' outlives its transaction, but only its own session sees it: under transaction pooling it throws SessionStateException. "
            + "{1}, or take a session with LeaseSessionAsync.",
        Categories.SessionState,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink(DiagnosticIds.TemporaryObject));

    // ---- EFP0006
    public static readonly DiagnosticDescriptor TransactionText = new(
        DiagnosticIds.TransactionText,
        "Transaction control inside SQL text",
        "'{0}' as text hides from the pool where a transaction begins and ends, so that it cannot keep the server connection for it: it throws SessionStateException. "
            + "Use {1}.",
        Categories.SessionState,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink(DiagnosticIds.TransactionText));

    // ---- EFP0007
    public static readonly DiagnosticDescriptor CapturedByParallelCode = new(
        DiagnosticIds.CapturedByParallelCode,
        "Context or connection captured by parallel or deferred code",
        "'{0}' uses '{1}' from code that {2} runs beside the rest, but a context or connection does one thing at a time and may be disposed of by then. "
            + "Create one inside that code (IDbContextFactory, IServiceScopeFactory, OpenConnectionAsync).",
        Categories.Concurrency,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink(DiagnosticIds.CapturedByParallelCode));

    // ---- EFP0008
    public static readonly DiagnosticDescriptor DiscardedTask = new(
        DiagnosticIds.DiscardedTask,
        "Database task discarded",
        "The task of '{0}' is discarded: nobody sees its errors, and it still holds its context or connection and a server connection of the pool when the next operation starts or the context is disposed of. "
            + "Await it, or do the work in a scope of its own.",
        Categories.Concurrency,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink(DiagnosticIds.DiscardedTask));

    // ---- EFP0009
    public static readonly DiagnosticDescriptor SlowWaitInTransaction = new(
        DiagnosticIds.SlowWaitInTransaction,
        "Slow wait while a transaction is open",
        "'{0}' waits for something else than the database while the transaction '{1}' is open: from its first command on, the transaction holds a server connection of the pool, and its locks. "
            + "Wait before the transaction begins or after it has ended.",
        Categories.HoldTime,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink(DiagnosticIds.SlowWaitInTransaction));

    // ---- EFP0010
    public static readonly DiagnosticDescriptor IncompleteTransaction = new(
        DiagnosticIds.IncompleteTransaction,
        "Transaction not completed or not disposed",
        "The transaction that '{0}' begins {1}. {2}.",
        Categories.HoldTime,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink(DiagnosticIds.IncompleteTransaction));

    // ---- EFP0011
    public static readonly DiagnosticDescriptor CommandDuringReader = new(
        DiagnosticIds.CommandDuringReader,
        "Command issued while a reader is open",
        "'{0}' runs while {1} still has a reader open on '{2}': PostgreSQL runs one statement per connection, so it throws ConcurrentUseException. "
            + "Read all rows first (ToListAsync), or use a second context or connection.",
        Categories.Concurrency,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink(DiagnosticIds.CommandDuringReader));

    // ---- EFP0012
    public static readonly DiagnosticDescriptor LongLivedHolder = new(
        DiagnosticIds.LongLivedHolder,
        "Long-lived holder of a context or connection",
        "{0} keeps a {1} for the life of the application and for all callers, but it does one thing at a time and belongs to one unit of work. "
            + "Keep an IDbContextFactory, a DbDataSource or an IServiceScopeFactory, and make one for each piece of work.",
        Categories.Lifetime,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink(DiagnosticIds.LongLivedHolder));

    // ---- EFP0013
    public static readonly DiagnosticDescriptor LocalWithoutTransaction = new(
        DiagnosticIds.LocalWithoutTransaction,
        "Transaction-local statement where no transaction can exist",
        "'{0}' lasts until the end of the transaction, but there is none {1}, so it does nothing. {2}.",
        Categories.SessionState,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink(DiagnosticIds.LocalWithoutTransaction));

    // ---- EFP0014
    public static readonly DiagnosticDescriptor ExplicitlyOpenedConnection = new(
        DiagnosticIds.ExplicitlyOpenedConnection,
        "Connection of a context opened and not closed",
        "The connection of '{0}' stays open until the context is disposed: what SQL sets or pins lasts as long, and in session mode it holds a server connection. "
            + "EF Core opens it for each operation by itself: remove the call, or call CloseConnection when done.",
        Categories.HoldTime,
        DiagnosticSeverity.Info,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink(DiagnosticIds.ExplicitlyOpenedConnection));

    // ---- EFP0015
    public static readonly DiagnosticDescriptor Downcast = new(
        DiagnosticIds.Downcast,
        "Downcast of a pooled connection",
        "The {0} of a context with transaction pooling is not an {1}, so this {2}. Use the {0} as it is, or take a plain NpgsqlConnection with LeaseSessionAsync.",
        Categories.Lifetime,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink(DiagnosticIds.Downcast));

    // ---- EFP0016
    public static readonly DiagnosticDescriptor ConnectionBesidePool = new(
        DiagnosticIds.ConnectionBesidePool,
        "Connection created beside the pool",
        "'{0}' opens server connections beside the transaction pool, which neither counts nor limits them. "
            + "Use the connection of the context, or TransactionPoolingDataSource.OpenConnection; keep this only where a session is needed.",
        Categories.Lifetime,
        DiagnosticSeverity.Info,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink(DiagnosticIds.ConnectionBesidePool),
        customTags: WellKnownDiagnosticTags.CompilationEnd);

    // ---- EFP0017
    public static readonly DiagnosticDescriptor ConflictingOptions = new(
        DiagnosticIds.ConflictingOptions,
        "Options conflict with transaction pooling",
        "'{0}' in the connection string contradicts transaction pooling, which throws InvalidPoolOptionsException when the pool is created. Remove the keyword.",
        Categories.Configuration,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink(DiagnosticIds.ConflictingOptions));

    // ---- EFP0018
    public static readonly DiagnosticDescriptor EscapingStream = new(
        DiagnosticIds.EscapingStream,
        "Stream escapes and holds a connection",
        "'{0}' gives away an open reader on '{1}': the server connection is held for as long as the caller takes, and nothing else can run on it meanwhile. "
            + "Return a list, page by page if it is long.",
        Categories.HoldTime,
        DiagnosticSeverity.Info,
        isEnabledByDefault: false,
        helpLinkUri: HelpLink(DiagnosticIds.EscapingStream));

    private static string HelpLink(string id) => RulesAddress + id + ".md";
}
