using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;

namespace EfPooling.Analyzers;

/// <summary>EFP0003: advisory locks get xact_ in their name, so that the transaction gives them back.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(SessionLockFix)), Shared]
internal sealed class SessionLockFix() : SqlTextFix(DiagnosticIds.SessionLock, "Lock for the transaction only (requires a transaction)");
