namespace EfPooling.AdoNet;

/// <summary>
/// Session settings as messages of PostgreSQL's extended query protocol, sent ahead of a statement ("Message Flow" in the
/// PostgreSQL manual).
/// </summary>
internal static class SettingMessage
{
    private const int ParseBindExecute = 3; // answers, without the row

    /// <param name="changes">At least one.</param>
    /// <param name="inOwnTransaction">
    /// If <c>true</c>, ends with Sync, so it is a transaction of its own. Otherwise it belongs to the next statement: if it
    /// fails, the server skips that statement. It then ends with Flush, so that the answer is not held back while the statement
    /// runs.
    /// </param>
    /// <param name="answers">How many messages the server will answer with, not counting the row.</param>
    public static byte[] Create(IReadOnlyList<SettingChange> changes, bool inOwnTransaction, out int answers)
    {
        var message = new ProtocolWriter();
        message.Begin('P').Text("").Text(Sql(changes)).Int16(0).End();
        message.Begin('B').Text("").Text("").Int16(0).Int16(2 * changes.Count);
        foreach (var (name, value) in changes)
        {
            message.Value(name).Value(value);
        }

        message.Int16(0).End();
        message.Begin('E').Text("").Int32(0).End();
        message.Begin(inOwnTransaction ? 'S' : 'H').End();
        answers = ParseBindExecute + (inOwnTransaction ? 1 : 0);
        return message.ToArray();
    }

    /// <summary>A command without a result, as a transaction of its own.</summary>
    /// <param name="sql">One or more statements, separated by semicolons.</param>
    public static byte[] Command(string sql)
    {
        var message = new ProtocolWriter();
        message.Begin('Q').Text(sql).End();
        return message.ToArray();
    }

    /// <summary>Takes a name and a value as parameters for each change. NULL restores the default.</summary>
    public static string Sql(IReadOnlyList<SettingChange> changes)
        => $"SELECT {string.Join(", ", changes.Select((_, i) => $"pg_catalog.set_config(${(2 * i) + 1}, ${(2 * i) + 2}, false)"))}";
}
