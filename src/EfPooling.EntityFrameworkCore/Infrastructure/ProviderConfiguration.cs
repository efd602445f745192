using Npgsql;

namespace EfPooling.EntityFrameworkCore.Infrastructure;

/// <summary>
/// The effect of <c>UseNpgsql</c> on a data source. Two configurations are equal if their parts are.
/// </summary>
internal sealed class ProviderConfiguration(IReadOnlyList<object?> parts, Action<NpgsqlDataSourceBuilder> apply) : IEquatable<ProviderConfiguration>
{
    /// <summary>Configures a builder as the provider would.</summary>
    public Action<NpgsqlDataSourceBuilder> Apply => apply;

    /// <summary>Whether nothing is configured beyond the connection string.</summary>
    public bool IsEmpty => parts.All(part => part is null);

    private IReadOnlyList<object?> Parts => parts;

    public bool Equals(ProviderConfiguration? other) => other is not null && parts.SequenceEqual(other.Parts);

    public override bool Equals(object? obj) => Equals(obj as ProviderConfiguration);

    public override int GetHashCode() => parts.Aggregate(0, HashCode.Combine);
}
