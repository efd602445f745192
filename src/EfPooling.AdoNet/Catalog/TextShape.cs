namespace EfPooling.AdoNet.Sql;

/// <summary>
/// What an SQL text refers to, and whether all of it was understood. Constants do not matter: texts that differ only in constants
/// have one shape and are judged together. Immutable.
/// </summary>
internal sealed class TextShape : IEquatable<TextShape>
{
    private readonly int _hash;

    public TextShape(ShapeFlags flags, IEnumerable<string> calls, IEnumerable<string> names, IEnumerable<string> operators)
    {
        Flags = flags;
        Calls = Sorted(calls);
        Names = Sorted(names);
        Operators = Sorted(operators);
        var hash = default(HashCode);
        hash.Add(flags);
        foreach (var part in Calls.Concat(Names).Concat(Operators))
        {
            hash.Add(part, StringComparer.Ordinal);
        }

        _hash = hash.ToHashCode();
    }

    public ShapeFlags Flags { get; }

    /// <summary>Names before a parenthesis or after a dot: functions, but also types, tables, columns and aliases.</summary>
    public IReadOnlyList<string> Calls { get; }

    /// <summary>
    /// All names, those of <see cref="Calls"/> included, as the server reads them: without quotes, folded, each part of a dotted
    /// name by itself.
    /// </summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Runs of operator characters.</summary>
    public IReadOnlyList<string> Operators { get; }

    /// <summary>How much it keeps alive, in characters, approximately.</summary>
    public int Length => Names.Sum(name => name.Length) + Calls.Sum(name => name.Length) + Operators.Sum(name => name.Length);

    public bool Is(ShapeFlags flag) => (Flags & flag) != 0;

    public bool Equals(TextShape? other)
        => other is not null && _hash == other._hash && Flags == other.Flags
            && Calls.SequenceEqual(other.Calls, StringComparer.Ordinal) && Names.SequenceEqual(other.Names, StringComparer.Ordinal)
            && Operators.SequenceEqual(other.Operators, StringComparer.Ordinal);

    public override bool Equals(object? obj) => Equals(obj as TextShape);

    public override int GetHashCode() => _hash;

    private static string[] Sorted(IEnumerable<string> names)
    {
        var sorted = names.ToArray();
        Array.Sort(sorted, StringComparer.Ordinal);
        return sorted;
    }
}
