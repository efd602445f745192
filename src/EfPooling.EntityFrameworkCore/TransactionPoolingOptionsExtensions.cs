using EfPooling.AdoNet;

// In the namespace in which users of UseTransactionPooling find it.
namespace Microsoft.EntityFrameworkCore;

/// <summary>Session settings whose values come from a context.</summary>
public static class TransactionPoolingOptionsExtensions
{
    /// <summary>
    /// Declares a session setting for every query, <c>SaveChanges</c>, command and transaction of a context: a tenant for
    /// row-level security, <c>role</c>, <c>search_path</c>, <c>statement_timeout</c>. It travels with the first statement, so it
    /// costs no round trip.
    /// </summary>
    /// <param name="options">The options.</param>
    /// <param name="name">
    /// A setting of PostgreSQL, or one of your own with a prefix and a dot. Of several declarations, the last one counts.
    /// </param>
    /// <param name="value">Called for the value whenever a statement begins. <c>null</c>: the session's default.</param>
    /// <param name="required">
    /// If <c>true</c>, a value that is <c>null</c> or empty throws <see cref="SessionSettingMissingException"/> before any SQL is
    /// sent.
    /// </param>
    /// <returns>The same options.</returns>
    /// <exception cref="ArgumentException">The name is not the name of a setting.</exception>
    public static TransactionPoolingOptions SessionSetting(
        this TransactionPoolingOptions options, string name, Func<DbContext, string?> value, bool required = false)
        => options.SessionSetting<DbContext>(name, value, required);

    /// <inheritdoc cref="SessionSetting(TransactionPoolingOptions, string, Func{DbContext, string?}, bool)"/>
    /// <typeparam name="TContext">The type of the context that gives the value.</typeparam>
    public static TransactionPoolingOptions SessionSetting<TContext>(
        this TransactionPoolingOptions options, string name, Func<TContext, string?> value, bool required = false)
        where TContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(value);
        return options.SessionSetting(
            name,
            connection => value(connection.Owner as TContext ?? throw new InvalidOperationException(
                $"The session setting '{name}' gets its value from a {typeof(TContext).Name}, but this connection was {(connection.Owner is null ? "not made by a context" : $"made by a {connection.Owner.GetType().Name}")}. Use context.Database.GetDbConnection(), or declare the setting with a value that needs no context.")),
            required);
    }
}
