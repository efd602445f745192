using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;

namespace EfPooling.Analyzers;

/// <summary>EFP0001: SET becomes SET LOCAL, and <c>set_config(…, false)</c> gets <c>true</c>.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(SessionSettingFix)), Shared]
internal sealed class SessionSettingFix() : SqlTextFix(DiagnosticIds.SessionSetting, "Set it for the transaction only (requires a transaction)");
