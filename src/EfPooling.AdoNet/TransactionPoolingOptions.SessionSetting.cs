namespace EfPooling.AdoNet;

// Here, because the floors below do not know LogicalConnection.
public partial record TransactionPoolingOptions
{
    /// <summary>
    /// Declares a session setting for every statement and transaction of every connection: a tenant for row-level security,
    /// <c>role</c>, <c>search_path</c>, <c>statement_timeout</c>. It travels with the first statement, so it costs no round trip.
    /// </summary>
    /// <param name="name">
    /// A setting of PostgreSQL, or one of your own with a prefix and a dot. Of several declarations, the last one counts.
    /// </param>
    /// <param name="value">
    /// Called for the value whenever a statement begins, perhaps by several threads at a time. <c>null</c>: the session's
    /// default.
    /// </param>
    /// <param name="required">
    /// If <c>true</c>, a value that is <c>null</c> or empty throws <see cref="SessionSettingMissingException"/> before any SQL is
    /// sent.
    /// </param>
    /// <returns>These options.</returns>
    /// <exception cref="ArgumentException">The name is not the name of a setting.</exception>
    public TransactionPoolingOptions SessionSetting(string name, Func<LogicalConnection, string?> value, bool required = false)
    {
        ArgumentNullException.ThrowIfNull(value);
        DeclaredSettings = DeclaredSettings.With(new DeclaredSetting(SettingName.Parse(name), connection => value((LogicalConnection)connection), required));
        return this;
    }

    /// <summary>Declares a session setting with one value for all connections.</summary>
    /// <inheritdoc cref="SessionSetting(string, Func{LogicalConnection, string?}, bool)"/>
    /// <exception cref="ArgumentException">The name is not the name of a setting, or the value cannot be stored.</exception>
    public TransactionPoolingOptions SessionSetting(string name, string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        SettingName.CheckValue(name, value);
        return SessionSetting(name, _ => value);
    }
}
