using System.Collections;
using System.Data.Common;
using System.Globalization;
using System.Text;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>Everything that a caller can see of a read, as text.</summary>
internal static class Transcript
{
    /// <param name="connection">Open, of any kind.</param>
    /// <param name="query">What to run.</param>
    /// <param name="synchronously">How to read the rows.</param>
    public static async Task<string> TakeAsync(DbConnection connection, RandomQuery query, bool synchronously)
    {
        var text = new StringBuilder();
        try
        {
            await using var command = connection.CreateCommand();
            command.CommandText = query.Text;
            command.Parameters.AddRange(query.Parameters().ToArray());
            await using var reader = await command.ExecuteReaderAsync(query.Behavior);
            AddHead(text, reader);
            var rows = 0;
            while (synchronously ? reader.Read() : await reader.ReadAsync())
            {
                text.Append("row ").Append(rows++).Append(": ");
                for (var i = 0; i < reader.FieldCount; i++)
                {
                    var ordinal = i;
                    text.Append(reader.IsDBNull(i)).Append(' ').Append(Try(() => Show(reader.GetValue(ordinal)))).Append(" | ");
                }

                text.AppendLine();
            }

            text.Append(CultureInfo.InvariantCulture, $"{rows} rows, {reader.RecordsAffected} affected, {reader.HasRows}, {reader.FieldCount}, ");
            text.Append(await reader.NextResultAsync()).Append(' ').Append(reader.FieldCount);
            text.Append(Try(() => reader.GetName(0))).Append(Try(() => reader.GetDataTypeName(0))).Append(Try(() => reader.GetFieldType(0).Name)).Append(Try(() => Show(reader.GetValue(0))));
            text.Append(((IDbColumnSchemaGenerator)reader).GetColumnSchema().Count).Append(reader.GetSchemaTable() is null);
        }
        catch (Exception e)
        {
            text.Append(Show(e));
        }

        return text.ToString();
    }

    private static void AddHead(StringBuilder text, DbDataReader reader)
    {
        text.Append(CultureInfo.InvariantCulture, $"{reader.FieldCount} {reader.VisibleFieldCount} {reader.HasRows} {reader.Depth} {reader.IsClosed}").AppendLine();
        for (var i = 0; i < reader.FieldCount; i++)
        {
            var ordinal = i;
            text.Append(CultureInfo.InvariantCulture, $"{reader.GetName(i)} {reader.GetDataTypeName(i)} {Try(() => reader.GetFieldType(ordinal).ToString())}").AppendLine();
        }

        foreach (var column in ((IDbColumnSchemaGenerator)reader).GetColumnSchema())
        {
            text.Append(CultureInfo.InvariantCulture, $"{column.ColumnName} {column.ColumnOrdinal} {column.DataTypeName} {column.DataType} {column.AllowDBNull} ");
            text.Append(CultureInfo.InvariantCulture, $"{column.BaseTableName} {column.BaseColumnName} {column.ColumnSize} {column.NumericPrecision} {column.NumericScale} {column.IsKey}").AppendLine();
        }
    }

    private static string Try(Func<string> show)
    {
        try
        {
            return show();
        }
        catch (Exception e) when (e is not NpgsqlException)
        {
            return Show(e);
        }
    }

    private static string Show(Exception error) => error is PostgresException e
        ? $"{e.GetType().Name} {e.SqlState} {e.Severity} '{e.MessageText}' at {e.Position}; {e.Detail}; {e.Hint}; {e.Where}; {e.ColumnName}; {e.DataTypeName}"
        : $"{error.GetType().Name} '{error.Message}'";

    private static string Show(object? value) => value switch
    {
        null => "null",
        byte[] bytes => $"bytes {Convert.ToHexString(bytes)}",
        DateTime moment => $"DateTime {moment.Ticks} {moment.Kind}",
        Array { Rank: var rank } array => $"{array.GetType()} {rank} {string.Join('x', Enumerable.Range(0, rank).Select(array.GetLength))} [{string.Join(", ", array.Cast<object?>().Select(Show))}]",
        object[] or BitArray => $"{value.GetType()} [{string.Join(", ", ((IEnumerable)value).Cast<object?>().Select(Show))}]",
        string { Length: > 200 } text => $"string {text.Length} {text.GetHashCode(StringComparison.Ordinal)}",
        IFormattable formattable => $"{value.GetType()} {formattable.ToString(null, CultureInfo.InvariantCulture)}",
        _ => $"{value.GetType()} {value}",
    };
}
