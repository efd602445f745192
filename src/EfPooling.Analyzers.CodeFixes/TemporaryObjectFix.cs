using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;

namespace EfPooling.Analyzers;

/// <summary>EFP0005: CREATE TEMP TABLE gets ON COMMIT DROP.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(TemporaryObjectFix)), Shared]
internal sealed class TemporaryObjectFix() : SqlTextFix(DiagnosticIds.TemporaryObject, "Add ON COMMIT DROP (requires a transaction)");
