namespace EfPooling.AdoNet.Sql;

/// <summary>A name as PostgreSQL reads it: without quotes, and in lower case if it was not quoted.</summary>
/// <param name="schema">
/// The part before the last dot: a schema, or a table if the name is a column. Null: nothing. Empty: an expression.
/// </param>
/// <param name="name">The part after the last dot.</param>
internal readonly struct SqlName(string? schema, string name) : IEquatable<SqlName>
{
    public string? Schema { get; } = schema;

    public string Name { get; } = name;

    public bool Equals(SqlName other) => Name == other.Name && Schema == other.Schema;

    public override bool Equals(object? obj) => obj is SqlName other && Equals(other);

    public override int GetHashCode() => Name.GetHashCode() ^ (Schema is null ? 0 : Schema.GetHashCode() * 31);

    public override string ToString() => Schema is null ? Name : Schema + "." + Name;
}
