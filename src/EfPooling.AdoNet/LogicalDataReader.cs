using System.Collections;
using System.Collections.ObjectModel;
using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// The rows of a command. Closing it releases the server connection (unless a transaction or session holds it). After that it
/// never touches that connection again, because Npgsql's own reader object serves the connection's next owner.
/// </summary>
[SuppressMessage("Design", "CA1010", Justification = "No ADO.NET reader is generic.")]
public sealed class LogicalDataReader : DbDataReader, IDbColumnSchemaGenerator, IOpenResult, IColumnReader
{
    private readonly IReaderLease _lease;
    private readonly IConnectionHost? _closeToo;
    private readonly BatchedRead? _read; // shares the inner reader with others
    private readonly bool _isSingleRow; // for a batched read, which its inner reader cannot tell
    private NpgsqlDataReader? _inner; // Interlocked for taking it; null once closed
    private bool _hasRead; // for a batched read, used by the reading flow
    private bool _isPastEnd; // for a batched read, used by the reading flow: the next result belongs to another caller
    private ColumnUse? _column; // of the latest stream or text reader; written by the reading flow
    private ReaderGate _gate;
    private int _recordsAffected = -1;
    private DisposalNote _closed; // written by the closing flow

    internal LogicalDataReader(NpgsqlDataReader inner, IReaderLease lease, IConnectionHost? closeToo, bool isSingleRow)
    {
        _inner = inner;
        _lease = lease;
        _closeToo = closeToo;
        _read = lease.BatchedRead;
        _isSingleRow = isSingleRow && _read is not null;
        lease.SetReader(this);
    }

    /// <inheritdoc/>
    public override bool IsClosed => _inner is null;

    /// <inheritdoc/>
    public override int RecordsAffected => _read is null ? _inner?.RecordsAffected ?? _recordsAffected : -1; // BatchedReads only read.

    /// <inheritdoc/>
    public override int Depth => Inner.Depth;

    /// <inheritdoc/>
    public override int FieldCount => _isPastEnd ? 0 : Inner.FieldCount;

    /// <inheritdoc/>
    public override int VisibleFieldCount => _isPastEnd ? 0 : Inner.VisibleFieldCount;

    /// <inheritdoc/>
    public override bool HasRows => Inner.HasRows && !_isPastEnd;

    /// <inheritdoc/>
    public override object this[int ordinal] => Inner[ordinal];

    /// <inheritdoc/>
    public override object this[string name] => Inner[name];

    /// <inheritdoc/>
    public override bool Read() => _read is null ? Move(static inner => inner.Read()) : ReadOwn(skip: false);

    /// <inheritdoc/>
    public override Task<bool> ReadAsync(CancellationToken cancellationToken)
        => _read is null || !(_isPastEnd || _isSingleRow) ? ReadRowAsync(cancellationToken) : ReadOwnAsync(skip: false, cancellationToken);

    /// <inheritdoc/>
    public override bool NextResult() => _read is null ? Move(static inner => inner.NextResult()) : ReadOwn(skip: true);

    /// <inheritdoc/>
    public override Task<bool> NextResultAsync(CancellationToken cancellationToken)
        => _read is null
            ? MoveAsync(static (inner, self, token) => self.EndColumn(inner).NextResultAsync(token), this, cancellationToken)
            : ReadOwnAsync(skip: true, cancellationToken);

    /// <inheritdoc/>
    public override void Close()
    {
        if (Interlocked.Exchange(ref _inner, null) is not { } inner)
        {
            return;
        }

        _closed.Set(_lease.Guard, running: null);
        if (_gate.Close() is { } reading)
        {
            _lease.Cancel();
            reading.Wait(CancellationToken.None);
        }

        if (_read is not null)
        {
            try
            {
                while (!inner.IsClosed && inner.Read())
                {
                    // Skips the unread rows: an error in them belongs to the caller that closes, and would confuse Npgsql between
                    // two results.
                }
            }
            catch (Exception e)
            {
                _lease.Observe(e);
                if (!IsQuietAtClose(e))
                {
                    throw;
                }
            }
            finally
            {
                _lease.RemoveReader(this);
                _lease.End(); // Hands the inner reader to the next owner.
                _closeToo?.Close();
            }

            return;
        }

        try
        {
            inner.Close();
        }
        catch (Exception e)
        {
            _lease.Observe(e);
            ThrowIfOutcomeUnknown(e);
            throw;
        }
        finally
        {
            try
            {
                inner.Dispose(); // Ends Npgsql's tracing span. After a failed close it also frees the command.
                _recordsAffected = inner.RecordsAffected; // Throws if there are too many for an int.
            }
            finally
            {
                _lease.RemoveReader(this);
                _lease.End();
                _closeToo?.Close();
            }
        }
    }

    /// <inheritdoc/>
    public override async Task CloseAsync()
    {
        if (Interlocked.Exchange(ref _inner, null) is not { } inner)
        {
            return;
        }

        _closed.Set(_lease.Guard, running: null);
        if (_gate.Close() is { } reading)
        {
            _lease.Cancel();
            await reading.ConfigureAwait(false);
        }

        if (_read is not null)
        {
            try
            {
                while (!inner.IsClosed && await inner.ReadAsync().ConfigureAwait(false))
                {
                    // Skips the unread rows: an error in them belongs to the caller that closes, and would confuse Npgsql between
                    // two results.
                }
            }
            catch (Exception e)
            {
                _lease.Observe(e);
                if (!IsQuietAtClose(e))
                {
                    throw;
                }
            }
            finally
            {
                _lease.RemoveReader(this);
                await _lease.EndAsync().ConfigureAwait(false); // Hands the inner reader to the next owner.
                await (_closeToo?.CloseAsync() ?? Task.CompletedTask).ConfigureAwait(false);
            }

            return;
        }

        try
        {
            await inner.CloseAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            _lease.Observe(e);
            ThrowIfOutcomeUnknown(e);
            throw;
        }
        finally
        {
            try
            {
                await inner.DisposeAsync().ConfigureAwait(false); // Ends Npgsql's tracing span. After a failed close it also frees the command.
                _recordsAffected = inner.RecordsAffected; // Throws if there are too many for an int.
            }
            finally
            {
                _lease.RemoveReader(this);
                await _lease.EndAsync().ConfigureAwait(false);
                if (_closeToo is not null)
                {
                    await _closeToo.CloseAsync().ConfigureAwait(false);
                }
            }
        }
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await CloseAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Close();
        }

        base.Dispose(disposing);
    }

    /// <inheritdoc/>
    public override bool GetBoolean(int ordinal) => Inner.GetBoolean(ordinal);

    /// <inheritdoc/>
    public override byte GetByte(int ordinal) => Inner.GetByte(ordinal);

    /// <inheritdoc/>
    public override long GetBytes(int ordinal, long dataOffset, byte[]? buffer, int bufferOffset, int length)
        => Inner.GetBytes(ordinal, dataOffset, buffer, bufferOffset, length);

    /// <inheritdoc/>
    public override char GetChar(int ordinal) => Inner.GetChar(ordinal);

    /// <inheritdoc/>
    public override long GetChars(int ordinal, long dataOffset, char[]? buffer, int bufferOffset, int length)
        => Inner.GetChars(ordinal, dataOffset, buffer, bufferOffset, length);

    /// <inheritdoc/>
    public override string GetDataTypeName(int ordinal) => Described.GetDataTypeName(ordinal);

    /// <inheritdoc/>
    public override DateTime GetDateTime(int ordinal) => Inner.GetDateTime(ordinal);

    /// <inheritdoc/>
    public override decimal GetDecimal(int ordinal) => Inner.GetDecimal(ordinal);

    /// <inheritdoc/>
    public override double GetDouble(int ordinal) => Inner.GetDouble(ordinal);

    /// <inheritdoc/>
    public override IEnumerator GetEnumerator() => new DbEnumerator(this);

    /// <inheritdoc/>
    [return: DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicFields | DynamicallyAccessedMemberTypes.PublicProperties)]
    public override Type GetFieldType(int ordinal) => ((DbDataReader)Described).GetFieldType(ordinal); // Npgsql's override does not repeat what the trimmer keeps.

    /// <inheritdoc/>
    public override T GetFieldValue<T>(int ordinal)
        => typeof(T).IsValueType ? Inner.GetFieldValue<T>(ordinal) : HandOut(Inner.GetFieldValue<T>(ordinal));

    /// <inheritdoc/>
    public override Task<T> GetFieldValueAsync<T>(int ordinal, CancellationToken cancellationToken)
    {
        var value = MoveAsync(static (inner, ordinal, token) => inner.GetFieldValueAsync<T>(ordinal, token), ordinal, cancellationToken);
        return typeof(T) == typeof(Stream) || typeof(T) == typeof(TextReader) ? HandOutAsync(value) : value;
    }

    /// <inheritdoc/>
    public override float GetFloat(int ordinal) => Inner.GetFloat(ordinal);

    /// <inheritdoc/>
    public override Guid GetGuid(int ordinal) => Inner.GetGuid(ordinal);

    /// <inheritdoc/>
    public override short GetInt16(int ordinal) => Inner.GetInt16(ordinal);

    /// <inheritdoc/>
    public override int GetInt32(int ordinal) => Inner.GetInt32(ordinal);

    /// <inheritdoc/>
    public override long GetInt64(int ordinal) => Inner.GetInt64(ordinal);

    /// <inheritdoc/>
    public override string GetName(int ordinal) => Described.GetName(ordinal);

    /// <inheritdoc/>
    public override int GetOrdinal(string name) => Described.GetOrdinal(name);

    /// <inheritdoc/>
    [return: DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicFields | DynamicallyAccessedMemberTypes.PublicProperties)]
    public override Type GetProviderSpecificFieldType(int ordinal) => ((DbDataReader)Described).GetProviderSpecificFieldType(ordinal);

    /// <inheritdoc/>
    public override object GetProviderSpecificValue(int ordinal) => Inner.GetProviderSpecificValue(ordinal);

    /// <inheritdoc/>
    public override int GetProviderSpecificValues(object[] values) => Inner.GetProviderSpecificValues(values);

    /// <inheritdoc/>
    public override Stream GetStream(int ordinal) => HandOut(Inner.GetStream(ordinal));

    /// <inheritdoc/>
    public override string GetString(int ordinal) => Inner.GetString(ordinal);

    /// <inheritdoc/>
    public override TextReader GetTextReader(int ordinal) => HandOut(Inner.GetTextReader(ordinal));

    /// <inheritdoc/>
    public override object GetValue(int ordinal) => Inner.GetValue(ordinal);

    /// <inheritdoc/>
    public override int GetValues(object[] values) => Inner.GetValues(values);

    /// <inheritdoc/>
    public override bool IsDBNull(int ordinal) => Inner.IsDBNull(ordinal);

    /// <inheritdoc/>
    public override Task<bool> IsDBNullAsync(int ordinal, CancellationToken cancellationToken)
        => MoveAsync(static (inner, ordinal, token) => inner.IsDBNullAsync(ordinal, token), ordinal, cancellationToken);

    /// <inheritdoc/>
    public override DataTable? GetSchemaTable() => Inner is var inner && _isPastEnd ? null : inner.GetSchemaTable();

    /// <inheritdoc/>
    public override Task<DataTable?> GetSchemaTableAsync(CancellationToken cancellationToken = default)
        => Inner is var inner && _isPastEnd ? Task.FromResult<DataTable?>(null) : inner.GetSchemaTableAsync(cancellationToken);

    /// <inheritdoc/>
    public ReadOnlyCollection<DbColumn> GetColumnSchema()
        => Inner is IDbColumnSchemaGenerator inner && !_isPastEnd ? inner.GetColumnSchema() : new ReadOnlyCollection<DbColumn>([]);

    /// <inheritdoc/>
    public override Task<ReadOnlyCollection<DbColumn>> GetColumnSchemaAsync(CancellationToken cancellationToken = default)
        => Inner is var inner && _isPastEnd ? Task.FromResult(new ReadOnlyCollection<DbColumn>([])) : inner.GetColumnSchemaAsync(cancellationToken);

    /// <summary>
    /// Hands Npgsql's reader out for good, to a caller that requires that type. The lease then ends when the command is disposed.
    /// </summary>
    internal NpgsqlDataReader Detach()
    {
        if (_read is not null)
        {
            throw new InvalidOperationException("The reader is shared with others, so it cannot be given away.");
        }

        var inner = Interlocked.Exchange(ref _inner, null) ?? throw new InvalidOperationException("The reader is closed.");
        _lease.RemoveReader(this);
        _lease.Detach();
        return inner;
    }

    /// <inheritdoc/>
    protected override DbDataReader GetDbDataReader(int ordinal) => new NestedDataReader(Inner.GetData(ordinal), this, this);

    private NpgsqlDataReader Inner => _inner ?? throw Closed();

    // For the columns of its result, which are unknown after its end.
    private NpgsqlDataReader Described => Inner is var inner && !_isPastEnd ? inner : throw new InvalidOperationException("No resultset is currently being traversed");

    private InvalidOperationException Closed()
        => new(_closed.IsSet ? $"The reader is closed. It was closed {_closed.Describe(_lease.Guard)}." : "The reader is closed.");

    // As with Npgsql's own reader.
    private static bool IsQuietAtClose(Exception error) => error is OperationCanceledException or NpgsqlException { InnerException: TimeoutException };

    /// <summary>Whether a read is running at this moment.</summary>
    bool IOpenResult.IsReading => _gate.IsReading;

    private T HandOut<T>(T value) => value switch
    {
        string or null => value, // First, because nearly all values are.
        Stream stream => (T)(object)new ColumnStream(stream, _column = new ColumnUse(this)),
        TextReader text => (T)(object)new ColumnText(text, _column = new ColumnUse(this)),
        _ => value,
    };

    private async Task<T> HandOutAsync<T>(Task<T> value) => HandOut(await value.ConfigureAwait(false));

    void IColumnReader.EnterColumn(ColumnUse column)
    {
        if (Owns(column))
        {
            Enter();
            if (Owns(column))
            {
                return;
            }

            _gate.Leave();
        }

        throw new ObjectDisposedException(nameof(Stream), _inner is null ? Closed().Message : "The reader has gone on since. Read a stream before anything else is read.");
    }

    bool IColumnReader.TryEnterColumn(ColumnUse column)
    {
        if (!Owns(column) || !_gate.TryEnter())
        {
            return false;
        }

        if (Owns(column))
        {
            return true;
        }

        _gate.Leave();
        return false;
    }

    void IColumnReader.EndColumn() => _column = null;

    T IColumnReader.HandOut<T>(T value) => HandOut(value);

    Task<T> IColumnReader.HandOutAsync<T>(Task<T> value) => HandOutAsync(value);

    void IColumnReader.LeaveColumn() => _gate.Leave();

    void IColumnReader.ObserveColumn(Exception error) => _lease.Observe(error);

    private bool Owns(ColumnUse column) => _inner is not null && ReferenceEquals(Volatile.Read(ref _column), column);

    private bool Move(Func<NpgsqlDataReader, bool> move)
    {
        Enter();
        try
        {
            return move(EndColumn(Inner));
        }
        catch (Exception e)
        {
            _lease.Observe(e);
            ThrowIfOutcomeUnknown(e);
            throw;
        }
        finally
        {
            _gate.Leave();
        }
    }

    // The next row of a batched read's only result, or none after its end.
    private bool ReadOwn(bool skip)
    {
        if (_isPastEnd)
        {
            return false;
        }

        var isThere = Move(static inner => inner.Read());
        while (skip && isThere)
        {
            isThere = Move(static inner => inner.Read());
        }

        _isPastEnd = skip || (_isSingleRow && _hasRead);
        _hasRead = true;
        return isThere && !_isPastEnd;
    }

    private async Task<bool> ReadOwnAsync(bool skip, CancellationToken cancellationToken)
    {
        if (_isPastEnd)
        {
            return false;
        }

        var isThere = await ReadRowAsync(cancellationToken).ConfigureAwait(false);
        while (skip && isThere)
        {
            isThere = await ReadRowAsync(cancellationToken).ConfigureAwait(false);
        }

        _isPastEnd = skip || (_isSingleRow && _hasRead);
        _hasRead = true;
        return isThere && !_isPastEnd;
    }

    private Task<bool> ReadRowAsync(CancellationToken cancellationToken)
        => MoveAsync(static (inner, self, token) => self.EndColumn(inner).ReadAsync(token), this, cancellationToken);

    private NpgsqlDataReader EndColumn(NpgsqlDataReader inner)
    {
        _column = null;
        return inner;
    }

    private Task<T> MoveAsync<TState, T>(Func<NpgsqlDataReader, TState, CancellationToken, Task<T>> move, TState state, CancellationToken cancellationToken)
    {
        Enter();
        Task<T> moving;
        try
        {
            moving = move(Inner, state, cancellationToken);
        }
        catch
        {
            _gate.Leave();
            throw;
        }

        if (!moving.IsCompletedSuccessfully || cancellationToken.IsCancellationRequested)
        {
            return AwaitMoveAsync(moving, cancellationToken);
        }

        _gate.Leave();
        return moving;
    }

    // Not a local function, because its captured variables would be allocated for each row, even for one that is already there.
    private async Task<T> AwaitMoveAsync<T>(Task<T> moving, CancellationToken cancellationToken)
    {
        try
        {
            var result = await moving.ConfigureAwait(false);
            if (cancellationToken.IsCancellationRequested)
            {
                _lease.Suspect();
            }

            return result;
        }
        catch (Exception e) when (e is not InvalidCastException) // A request for another type leaves the reader where it is.
        {
            _lease.Observe(e);
            ThrowIfOutcomeUnknown(e);
            throw;
        }
        finally
        {
            _gate.Leave();
        }
    }

    private void ThrowIfOutcomeUnknown(Exception error)
    {
        if (_lease.IsOutcomeUnknown(error))
        {
            throw CommitOutcomeUnknownException.OfStatement(error);
        }
    }

    private void Enter()
    {
        if (!_gate.TryEnter())
        {
            throw _lease.RefuseRead();
        }
    }
}
