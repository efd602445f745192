namespace EfPooling.AdoNet.Sql;

/// <summary>
/// Functions that the user vouches for: they leave the session unchanged. Names as the server has them; function names with or
/// without schema.
/// </summary>
internal sealed class TrustedObjects(IEnumerable<string> functions, IEnumerable<string> schemas)
{
    private readonly HashSet<string> _functions = new(functions, StringComparer.Ordinal);
    private readonly HashSet<string> _schemas = new(schemas, StringComparer.Ordinal);

    public static TrustedObjects None { get; } = new([], []);

    public bool Contains(string schema, string function) => _schemas.Contains(schema) || _functions.Contains(function) || _functions.Contains($"{schema}.{function}");
}
