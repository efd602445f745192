using Npgsql;

namespace EfPooling.EntityFrameworkCore.Infrastructure;

/// <summary>
/// What <c>UseNpgsql</c> does to a data source. Two are equal if the parts they are made of are.
/// </summary>
internal sealed class ProviderConfiguration(IReadOnlyList<object?> parts, Action<NpgsqlDataSourceBuilder> apply) : IEquatable<ProviderConfiguration>
{
    /// <summary>Does to a builder what the provider would do.</summary>
    public Action<NpgsqlDataSourceBuilder> Apply => apply;

    /// <summary>Nothing is configured beyond the connection string.</summary>
    public bool IsEmpty => parts.All(part => part is null);

    private IReadOnlyList<object?> Parts => parts;

    public bool Equals(ProviderConfiguration? other) => other is not null && parts.SequenceEqual(other.Parts);

    public override bool Equals(object? obj) => Equals(obj as ProviderConfiguration);

    public override int GetHashCode() => parts.Aggregate(0, HashCode.Combine);
}
