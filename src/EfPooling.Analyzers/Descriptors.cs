using Microsoft.CodeAnalysis;

namespace EfPooling.Analyzers;

/// <summary>
/// What each rule says: what is wrong, why under transaction pooling, what to write. Never an error by default, because no analyzer can
/// prove that pooling is on.
/// </summary>
internal static class Descriptors
{
    /// <summary>Where the pages of <c>docs/rules</c> are read.</summary>
    public const string RulesRoot = "https://github.com/efpooling/efpooling/blob/main/docs/rules/";

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
        "{0} binds what follows to one PostgreSQL session, but under transaction pooling the next command may run on another one: it throws SessionStateException. "
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

    // ---- EFP0008

    // ---- EFP0009

    // ---- EFP0010

    // ---- EFP0011

    // ---- EFP0012

    // ---- EFP0013
    public static readonly DiagnosticDescriptor LocalWithoutTransaction = new(
        DiagnosticIds.LocalWithoutTransaction,
        "Transaction-local statement where no transaction can exist",
        "'{0}' lasts until the end of the transaction, but there is none when a connection opens, so it does nothing. "
            + "Run it in TransactionStarted of a DbTransactionInterceptor, or declare the value with SessionSetting(...).",
        Categories.SessionState,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink(DiagnosticIds.LocalWithoutTransaction));

    // ---- EFP0014

    // ---- EFP0015

    // ---- EFP0016

    // ---- EFP0017

    // ---- EFP0018

    private static string HelpLink(string id) => RulesRoot + id + ".md";
}
