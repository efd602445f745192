using System.Collections;
using System.Collections.ObjectModel;
using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;

namespace EfPooling.AdoNet;

/// <summary>
/// The rows inside a column. Once it or its outer reader is closed, it never touches Npgsql's own nested reader again, because
/// that object serves other callers, as Npgsql's reader does.
/// </summary>
[SuppressMessage("Design", "CA1010", Justification = "No ADO.NET reader is generic.")]
internal sealed class NestedDataReader(DbDataReader inner, DbDataReader outer, IColumnReader outermost) : DbDataReader
{
    private DbDataReader? _inner = inner; // Interlocked for taking it; null once closed

    public override bool IsClosed => _inner is null || outer.IsClosed;

    public override int RecordsAffected => -1;

    public override int Depth => Inner.Depth;

    public override int FieldCount => Inner.FieldCount;

    public override int VisibleFieldCount => Inner.VisibleFieldCount;

    public override bool HasRows => Inner.HasRows;

    public override object this[int ordinal] => Inner[ordinal];

    public override object this[string name] => Inner[name];

    public override bool Read()
    {
        outermost.EndColumn();
        return Inner.Read();
    }

    public override Task<bool> ReadAsync(CancellationToken cancellationToken)
    {
        outermost.EndColumn();
        return Inner.ReadAsync(cancellationToken);
    }

    public override bool NextResult()
    {
        outermost.EndColumn();
        return Inner.NextResult();
    }

    public override Task<bool> NextResultAsync(CancellationToken cancellationToken)
    {
        outermost.EndColumn();
        return Inner.NextResultAsync(cancellationToken);
    }

    public override void Close()
    {
        if (Interlocked.Exchange(ref _inner, null) is { } inner && !outer.IsClosed)
        {
            inner.Dispose();
        }
    }

    public override Task CloseAsync()
    {
        Close(); // The rows are in memory.
        return Task.CompletedTask;
    }

    public override ValueTask DisposeAsync()
    {
        Close();
        return base.DisposeAsync();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Close();
        }

        base.Dispose(disposing);
    }

    public override long GetBytes(int ordinal, long dataOffset, byte[]? buffer, int bufferOffset, int length)
        => Inner.GetBytes(ordinal, dataOffset, buffer, bufferOffset, length);

    public override long GetChars(int ordinal, long dataOffset, char[]? buffer, int bufferOffset, int length)
        => Inner.GetChars(ordinal, dataOffset, buffer, bufferOffset, length);

    public override IEnumerator GetEnumerator() => new DbEnumerator(this);

    public override int GetOrdinal(string name) => Inner.GetOrdinal(name);

    public override int GetProviderSpecificValues(object[] values) => Inner.GetProviderSpecificValues(values);

    public override int GetValues(object[] values) => Inner.GetValues(values);

    public override Task<T> GetFieldValueAsync<T>(int ordinal, CancellationToken cancellationToken) => outermost.HandOutAsync(Inner.GetFieldValueAsync<T>(ordinal, cancellationToken));

    public override Task<bool> IsDBNullAsync(int ordinal, CancellationToken cancellationToken) => Inner.IsDBNullAsync(ordinal, cancellationToken);

    public override DataTable? GetSchemaTable() => Inner.GetSchemaTable();

    public override Task<DataTable?> GetSchemaTableAsync(CancellationToken cancellationToken = default) => Inner.GetSchemaTableAsync(cancellationToken);

    public override Task<ReadOnlyCollection<DbColumn>> GetColumnSchemaAsync(CancellationToken cancellationToken = default)
        => Inner.GetColumnSchemaAsync(cancellationToken);

    public override bool GetBoolean(int ordinal) => Inner.GetBoolean(ordinal);

    public override byte GetByte(int ordinal) => Inner.GetByte(ordinal);

    public override char GetChar(int ordinal) => Inner.GetChar(ordinal);

    public override string GetDataTypeName(int ordinal) => Inner.GetDataTypeName(ordinal);

    public override DateTime GetDateTime(int ordinal) => Inner.GetDateTime(ordinal);

    public override decimal GetDecimal(int ordinal) => Inner.GetDecimal(ordinal);

    public override double GetDouble(int ordinal) => Inner.GetDouble(ordinal);

    [return: DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicFields | DynamicallyAccessedMemberTypes.PublicProperties)]
    public override Type GetFieldType(int ordinal) => Inner.GetFieldType(ordinal);

    public override T GetFieldValue<T>(int ordinal) => outermost.HandOut(Inner.GetFieldValue<T>(ordinal));

    public override float GetFloat(int ordinal) => Inner.GetFloat(ordinal);

    public override Guid GetGuid(int ordinal) => Inner.GetGuid(ordinal);

    public override short GetInt16(int ordinal) => Inner.GetInt16(ordinal);

    public override int GetInt32(int ordinal) => Inner.GetInt32(ordinal);

    public override long GetInt64(int ordinal) => Inner.GetInt64(ordinal);

    public override string GetName(int ordinal) => Inner.GetName(ordinal);

    [return: DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicFields | DynamicallyAccessedMemberTypes.PublicProperties)]
    public override Type GetProviderSpecificFieldType(int ordinal) => Inner.GetProviderSpecificFieldType(ordinal);

    public override object GetProviderSpecificValue(int ordinal) => Inner.GetProviderSpecificValue(ordinal);

    public override Stream GetStream(int ordinal) => outermost.HandOut(Inner.GetStream(ordinal));

    public override string GetString(int ordinal) => Inner.GetString(ordinal);

    public override TextReader GetTextReader(int ordinal) => outermost.HandOut(Inner.GetTextReader(ordinal));

    public override object GetValue(int ordinal) => Inner.GetValue(ordinal);

    public override bool IsDBNull(int ordinal) => Inner.IsDBNull(ordinal);

    protected override DbDataReader GetDbDataReader(int ordinal) => new NestedDataReader(Inner.GetData(ordinal), this, outermost);

    private DbDataReader Inner => !IsClosed ? _inner! : throw new InvalidOperationException("The reader is closed.");
}
