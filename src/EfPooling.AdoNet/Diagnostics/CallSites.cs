using System.Diagnostics;
using System.Globalization;

namespace EfPooling.AdoNet;

/// <summary>Finds the application's own line in a stack trace or a query tag.</summary>
internal static class CallSites
{
    private const string Tag = "-- File: "; // EF Core's TagWithCallSite

    private static readonly string[] Libraries =
    [
        "EfPooling.Core", "EfPooling.AdoNet", "EfPooling.EntityFrameworkCore", "Npgsql", "Npgsql.EntityFrameworkCore.PostgreSQL", "Dapper", "DynamicProxyGenAssembly2",
        "mscorlib", "netstandard",
    ];

    private static readonly string[] LibraryPrefixes = ["System.", "Microsoft.EntityFrameworkCore", "Microsoft.Extensions.", "Npgsql.", "Dapper.", "Castle."];

    /// <returns>The first frame outside of our code and of libraries; <c>null</c> if the stack has none.</returns>
    public static string? Find(StackTrace? trace)
    {
        foreach (var frame in trace?.GetFrames() ?? [])
        {
            if (DiagnosticMethodInfo.Create(frame) is { DeclaringTypeName: { } typeName, DeclaringAssemblyName: { } assembly } method
                && !IsLibrary(assembly[..Length(assembly, ',')]) && !IsDynamic(assembly))
            {
                var types = typeName[(typeName.AsSpan(0, Length(typeName, '+')).LastIndexOf('.') + 1)..].Split('+'); // The outermost type first.
                var name = types[^1].StartsWith('<') && method.Name == nameof(IEnumerator<>.MoveNext) ? types[^1] : method.Name;
                var type = types.LastOrDefault(static type => !type.StartsWith('<')) ?? types[0];
                var file = frame.GetFileName() is { } path ? string.Create(CultureInfo.InvariantCulture, $" in {FileName(path)}:{frame.GetFileLineNumber()}") : "";
                return $"{type}.{Unmangle(name)}{file}";
            }
        }

        return null;
    }

    /// <returns>The call site in the tag of EF Core's <c>TagWithCallSite</c>; <c>null</c> without a tag.</returns>
    public static string? FindTag(string? sql)
    {
        foreach (var line in sql.AsSpan().EnumerateLines())
        {
            if (line.StartsWith(Tag, StringComparison.Ordinal))
            {
                return FileName(line[Tag.Length..].ToString());
            }

            if (line.Length > 0 && !line.StartsWith("--", StringComparison.Ordinal))
            {
                return null; // Tags come before the SQL.
            }
        }

        return null;
    }

    /// <summary>The path without its directory, whatever system it is from.</summary>
    public static string FileName(string path) => path[(path.LastIndexOfAny(['/', '\\']) + 1)..];

    // <Outer>b__0 is a lambda, <Outer>g__Local|1_0 a local function, <Method>d__2 a state machine. Each of these may be nested in
    // another.
    internal static string Unmangle(string name)
    {
        if (!name.StartsWith('<') || name.LastIndexOf('>') is var end && end < 1)
        {
            return name;
        }

        var local = name.IndexOf("g__", end, StringComparison.Ordinal) is var at and >= 0 ? "." + name[(at + 3)..].Split('|')[0] : "";
        return Unmangle(name[1..end]) + local;
    }

    private static int Length(string text, char end) => text.IndexOf(end) is var at and >= 0 ? at : text.Length;

    // For example a proxy's assembly. There are few enough assemblies to search all of them for an error's text.
    private static bool IsDynamic(string assembly) => AppDomain.CurrentDomain.GetAssemblies().Any(loaded => loaded.IsDynamic && loaded.FullName == assembly);

    private static bool IsLibrary(string assembly)
        => Libraries.Contains(assembly) || LibraryPrefixes.Any(prefix => assembly.StartsWith(prefix, StringComparison.Ordinal));
}
