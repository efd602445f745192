using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using Npgsql;
using NpgsqlTypes;
using StatementType = System.Data.StatementType;

namespace EfPooling.AdoNet;

/// <summary>
/// Writes the INSERT, UPDATE and DELETE of a <see cref="LogicalDataAdapter"/> from its SELECT of one table, as Npgsql's own
/// builder does.
/// </summary>
public sealed class LogicalCommandBuilder : DbCommandBuilder
{
    private const string Quote = "\"";

    /// <summary>Creates a builder without an adapter.</summary>
    public LogicalCommandBuilder()
    {
        QuotePrefix = Quote;
        QuoteSuffix = Quote;
    }

    /// <summary>Creates a builder.</summary>
    /// <param name="adapter">The adapter whose commands it writes.</param>
    public LogicalCommandBuilder(LogicalDataAdapter adapter)
        : this() => DataAdapter = adapter;

    /// <inheritdoc/>
    [AllowNull]
    public override string QuotePrefix
    {
        get => base.QuotePrefix;
        set => base.QuotePrefix = value is null or "" or Quote ? value : throw NoQuote(value);
    }

    /// <inheritdoc/>
    [AllowNull]
    public override string QuoteSuffix
    {
        get => base.QuoteSuffix;
        set => base.QuoteSuffix = value is null or "" or Quote ? value : throw NoQuote(value);
    }

    /// <inheritdoc/>
    public override string QuoteIdentifier(string unquotedIdentifier)
    {
        ArgumentNullException.ThrowIfNull(unquotedIdentifier);
        return $"{QuotePrefix}{unquotedIdentifier.Replace(Quote, Quote + Quote, StringComparison.Ordinal)}{QuoteSuffix}";
    }

    /// <inheritdoc/>
    public override string UnquoteIdentifier(string quotedIdentifier)
    {
        ArgumentNullException.ThrowIfNull(quotedIdentifier);
        return (quotedIdentifier is ['"', .. var inner, '"'] ? inner : quotedIdentifier).Replace(Quote + Quote, Quote, StringComparison.Ordinal);
    }

    /// <inheritdoc/>
    protected override void ApplyParameterInfo(DbParameter parameter, DataRow row, StatementType statementType, bool whereClause)
    {
        if (row[SchemaTableColumn.ProviderType] is NpgsqlDbType type)
        {
            ((NpgsqlParameter)parameter).NpgsqlDbType = type;
        }
    }

    /// <inheritdoc/>
    protected override string GetParameterName(int parameterOrdinal) => $"@p{parameterOrdinal}";

    /// <inheritdoc/>
    protected override string GetParameterName(string parameterName) => parameterName;

    /// <inheritdoc/>
    protected override string GetParameterPlaceholder(int parameterOrdinal) => $"@p{parameterOrdinal}";

    /// <inheritdoc/>
    protected override void SetRowUpdatingHandler(DbDataAdapter adapter)
    {
        if (adapter is not LogicalDataAdapter logical)
        {
            throw new ArgumentException("A LogicalCommandBuilder writes the commands of a LogicalDataAdapter.", nameof(adapter));
        }

        if (ReferenceEquals(adapter, DataAdapter))
        {
            logical.RowUpdating -= OnRowUpdating; // The second call removes the handler.
        }
        else
        {
            logical.RowUpdating += OnRowUpdating;
        }
    }

    private void OnRowUpdating(object? sender, RowUpdatingEventArgs update) => RowUpdatingHandler(update);

    private static ArgumentException NoQuote(string value) => new($"PostgreSQL quotes names with a double quote, not with {value}.");
}
