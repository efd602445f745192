using System.Data;
using System.Data.Common;
using EfPooling.AdoNet.Sql;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>A batch of a <see cref="LogicalConnection"/>: several commands in one round trip and, outside a transaction, in one implicit one.</summary>
public sealed class LogicalBatch : DbBatch, IPooledStatement
{
    private readonly NpgsqlBatch _inner = new();
    private readonly StatementExecution _execution;
    private LogicalConnection? _connection;
    private int? _timeout;
    private bool _wantsPrepare;
    private CallerInfo _creator; // written once, by CreateBatch
    private DisposalNote _disposal; // written by the first dispose

    /// <summary>Creates an empty batch without a connection.</summary>
    public LogicalBatch() => _execution = new StatementExecution(this);

    /// <summary>The commands: Npgsql's own.</summary>
    public new NpgsqlBatchCommandCollection BatchCommands => _inner.BatchCommands;

    /// <summary>
    /// Isolates the commands from one another: each is its own implicit transaction, and the others run even if one fails.
    /// </summary>
    /// <value>Default <c>false</c>.</value>
    public bool EnableErrorBarriers
    {
        get => _inner.EnableErrorBarriers;
        set => _inner.EnableErrorBarriers = value;
    }

    /// <summary>Seconds until the batch is cancelled; 0 is never. Default: the connection string's <c>Command Timeout</c>, which is 30 by default.</summary>
    public override int Timeout
    {
        get => _timeout ?? _connection?.Pool?.CommandTimeout ?? _inner.Timeout;
        set
        {
            _inner.Timeout = value;
            _timeout = value;
        }
    }

    /// <summary>The connection on which it runs.</summary>
    public new LogicalConnection? Connection
    {
        get => _connection;
        set
        {
            if (ReferenceEquals(_connection, value))
            {
                return;
            }

            _execution.ThrowIfRunning();
            Transaction = _connection is null || Transaction?.Inner.IsOf(value) == true ? Transaction : null; // Set in either order.
            _connection = value;
        }
    }

    /// <summary>
    /// For compatibility with ADO.NET: a batch always runs in its connection's transaction, but not at all once this transaction
    /// is over.
    /// </summary>
    /// <remarks>
    /// Running it throws <see cref="InvalidOperationException"/> if the transaction belongs to another connection, or is over.
    /// </remarks>
    /// <exception cref="InvalidOperationException">The transaction is over.</exception>
    public new LogicalTransaction? Transaction
    {
        get;
        set
        {
            value?.Inner.ThrowIfOver();
            field = value;
        }
    }

    /// <inheritdoc/>
    protected override DbBatchCommandCollection DbBatchCommands => _inner.BatchCommands;

    /// <inheritdoc/>
    protected override DbConnection? DbConnection
    {
        get => _connection;
        set => Connection = value switch
        {
            null => null,
            LogicalConnection logical => logical,
            _ => throw new InvalidCastException($"A LogicalBatch runs on a LogicalConnection, not on a {value.GetType().Name}. Create the batch with connection.CreateBatch()."),
        };
    }

    /// <inheritdoc/>
    protected override DbTransaction? DbTransaction
    {
        get => Transaction;
        set => Transaction = value switch
        {
            null => null,
            LogicalTransaction logical => logical,
            _ => throw new InvalidCastException($"A LogicalBatch runs in a LogicalTransaction, not in a {value.GetType().Name}. Begin the transaction on the batch's connection."),
        };
    }

    string? IPooledStatement.Origin => _creator.Describe("the batch was created");

    DisposalNote IPooledStatement.Disposal => _disposal;

    ServerTransaction? IPooledStatement.Transaction => Transaction?.Inner;

    IConnectionHost? IPooledStatement.Host => _connection;

    string? IPooledStatement.Text => string.Join("; ", BatchCommands.Cast<NpgsqlBatchCommand>().Select(command => command.CommandText));

    SqlVerdict IPooledStatement.Verdict
    {
        get
        {
            // If all texts are equal, the first one decides. Otherwise they are read together, because the calls, writes and
            // dependencies of one say nothing of another.
            foreach (NpgsqlBatchCommand command in BatchCommands)
            {
                if (TextOf(command) != TextOf(BatchCommands[0]) || SqlVerdict.Of(TextOf(command)) is not { Effects: SessionEffects.None, CanShareTransaction: true })
                {
                    return SqlVerdict.Of(string.Join(";\n", BatchCommands.Cast<NpgsqlBatchCommand>().Select(TextOf)));
                }
            }

            return SqlVerdict.Of(BatchCommands.Count == 0 ? "" : BatchCommands[0].CommandText);
        }
    }

    bool IParameterised.HasBuiltInParameters => BatchCommands.Cast<NpgsqlBatchCommand>().All(command => ParameterTypes.AreBuiltIn(command.Parameters));

    NpgsqlCommand? IPooledStatement.Shareable => null;

    int IPooledStatement.CommandTimeout => Timeout;

    ICommandUser? IPooledStatement.User => null;

    bool IPooledStatement.IsOneTransaction
        => !_inner.EnableErrorBarriers && BatchCommands.Cast<NpgsqlBatchCommand>().All(command => command.AppendErrorBarrier != true);

    internal LogicalBatch CreatedBy(CallerInfo creator)
    {
        _creator = creator;
        return this;
    }

    /// <summary>
    /// Asks the server to stop the batch, if it is running. Can be called from any thread. Does not throw if it comes too late.
    /// </summary>
    public override void Cancel() => _execution.Cancel();

    /// <inheritdoc/>
    public override int ExecuteNonQuery() => StatementRunner.Run(_execution, _inner, OperationKind.Batch, static inner => inner.ExecuteNonQuery());

    /// <inheritdoc/>
    public override Task<int> ExecuteNonQueryAsync(CancellationToken cancellationToken = default)
        => StatementRunner.RunAsync(_execution, _inner, OperationKind.Batch, static (inner, token) => inner.ExecuteNonQueryAsync(token), cancellationToken);

    /// <inheritdoc/>
    public override object? ExecuteScalar() => StatementRunner.Run(_execution, _inner, OperationKind.Batch, static inner => inner.ExecuteScalar());

    /// <inheritdoc/>
    public override Task<object?> ExecuteScalarAsync(CancellationToken cancellationToken = default)
        => StatementRunner.RunAsync(_execution, _inner, OperationKind.Batch, static (inner, token) => inner.ExecuteScalarAsync(token), cancellationToken);

    /// <summary>Prepares the commands; see <see cref="LogicalCommand.Prepare"/>.</summary>
    public override void Prepare()
    {
        _wantsPrepare = true;
        StatementRunner.Run(_execution, _inner, OperationKind.Prepare, static inner =>
        {
            inner.Prepare();
            return 0;
        });
    }

    /// <inheritdoc cref="Prepare"/>
    public override Task PrepareAsync(CancellationToken cancellationToken = default)
    {
        _wantsPrepare = true;
        return StatementRunner.RunAsync(
            _execution,
            _inner,
            OperationKind.Prepare,
            static async (inner, token) =>
            {
                await inner.PrepareAsync(token).ConfigureAwait(false);
                return 0;
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _disposal.Set(_connection?.Pool?.Guard, running: null);
        _execution.EndDetached();
        _inner.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        _disposal.Set(_connection?.Pool?.Guard, running: null);
        await _execution.EndDetachedAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    void IPooledStatement.Attach(NpgsqlConnection connection)
    {
        _inner.Connection = connection;
        foreach (NpgsqlBatchCommand command in BatchCommands)
        {
            NpgsqlInternals.ForgetPreparation(command);
        }
    }

    DbDataReader IPooledStatement.Wrap(NpgsqlDataReader inner, IReaderLease lease, IConnectionHost? toClose, bool isSingleRow)
        => new LogicalDataReader(inner, lease, toClose, isSingleRow);

    void IPooledStatement.CancelInner() => _inner.Cancel();

    // A batch that is prepared here already costs no round trip.
    void IPooledStatement.PrepareIfWanted()
    {
        if (_wantsPrepare)
        {
            _inner.Prepare();
        }
    }

    ValueTask IPooledStatement.PrepareIfWantedAsync(CancellationToken cancellationToken)
        => _wantsPrepare ? new ValueTask(_inner.PrepareAsync(cancellationToken)) : ValueTask.CompletedTask;

    /// <inheritdoc/>
    protected override DbBatchCommand CreateDbBatchCommand() => new NpgsqlBatchCommand();

    /// <inheritdoc/>
    protected override DbDataReader ExecuteDbDataReader(CommandBehavior behavior)
        => StatementRunner.Read(_execution, _inner, OperationKind.Batch, static (batch, behavior) => batch.ExecuteReader(behavior), behavior);

    /// <inheritdoc/>
    protected override Task<DbDataReader> ExecuteDbDataReaderAsync(CommandBehavior behavior, CancellationToken cancellationToken)
        => StatementRunner.ReadAsync(_execution, _inner, OperationKind.Batch, static (batch, behavior, token) => batch.ExecuteReaderAsync(behavior, token), behavior, cancellationToken);


    // A procedure may do anything to its session, and a table's name may turn out to be the call of a function.
    private static string TextOf(NpgsqlBatchCommand command)
        => command.CommandType == CommandType.Text ? command.CommandText : $"CALL {command.CommandText}()";
}
