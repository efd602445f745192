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

    // ---- EFP0004

    // ---- EFP0005

    // ---- EFP0006

    // ---- EFP0007

    // ---- EFP0008

    // ---- EFP0009

    // ---- EFP0010

    // ---- EFP0011

    // ---- EFP0012

    // ---- EFP0013

    // ---- EFP0014

    // ---- EFP0015

    // ---- EFP0016

    // ---- EFP0017

    // ---- EFP0018

    private static string HelpLink(string id) => RulesRoot + id + ".md";
}
