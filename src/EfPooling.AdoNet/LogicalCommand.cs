using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using EfPooling.AdoNet.Sql;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// A command of a <see cref="LogicalConnection"/>. It takes a server connection when it runs, from the connection's transaction
/// if there is one.
/// </summary>
public sealed class LogicalCommand : DbCommand, IPooledStatement
{
    private readonly StatementExecution _execution;
    private NpgsqlCommand? _inner; // null once it was given to the next command
    private string? _lastText; // written before _inner becomes null
    private LogicalConnection? _connection;
    private int? _timeout;
    private bool _wantsPrepare;
    private CallerInfo _creator; // written once, by CreateCommand
    private DisposalNote _disposal; // written by the first dispose

    /// <summary>Creates a command without text or connection.</summary>
    public LogicalCommand()
        : this(new NpgsqlCommand())
    {
    }

    /// <summary>Creates a command.</summary>
    /// <param name="commandText">The SQL.</param>
    /// <param name="connection">The connection on which it will run.</param>
    public LogicalCommand(string? commandText, LogicalConnection? connection = null)
        : this(new NpgsqlCommand(commandText)) => _connection = connection;

    internal LogicalCommand(NpgsqlCommand inner)
    {
        GC.SuppressFinalize(this);
        _inner = inner;
        _execution = new StatementExecution(this);
    }

    /// <inheritdoc/>
    [AllowNull]
    public override string CommandText
    {
        get => Inner.CommandText;
        set
        {
            Inner.CommandText = value;
            _wantsPrepare = false;
        }
    }

    /// <summary>Seconds until the command is cancelled; 0 is never. Default: the connection string's <c>Command Timeout</c>, which is 30 by default.</summary>
    public override int CommandTimeout
    {
        get => _timeout ?? _connection?.Pool?.CommandTimeout ?? Inner.CommandTimeout;
        set
        {
            Inner.CommandTimeout = value;
            _timeout = value;
        }
    }

    /// <inheritdoc/>
    public override CommandType CommandType
    {
        get => Inner.CommandType;
        set => Inner.CommandType = value;
    }

    /// <inheritdoc/>
    public override bool DesignTimeVisible
    {
        get => Inner.DesignTimeVisible;
        set => Inner.DesignTimeVisible = value;
    }

    /// <inheritdoc/>
    public override UpdateRowSource UpdatedRowSource
    {
        get => Inner.UpdatedRowSource;
        set => Inner.UpdatedRowSource = value;
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
    /// For compatibility with ADO.NET: a command always runs in its connection's transaction, but not at all once this
    /// transaction is over.
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

    /// <summary>The parameters: Npgsql's own, with all their types.</summary>
    public new NpgsqlParameterCollection Parameters => Inner.Parameters;

    /// <inheritdoc/>
    protected override DbParameterCollection DbParameterCollection => Inner.Parameters;

    /// <inheritdoc/>
    protected override DbConnection? DbConnection
    {
        get => _connection;
        set => Connection = value switch
        {
            null => null,
            LogicalConnection logical => logical,
            _ => throw new InvalidCastException($"A LogicalCommand runs on a LogicalConnection, not on a {value.GetType().Name}. Create the command with connection.CreateCommand()."),
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
            _ => throw new InvalidCastException($"A LogicalCommand runs in a LogicalTransaction, not in a {value.GetType().Name}. Begin the transaction on the command's connection."),
        };
    }

    string? IPooledStatement.Origin => _creator.Describe("the command was created");

    DisposalNote IPooledStatement.Disposal => _disposal;

    ServerTransaction? IPooledStatement.Transaction => Transaction?.Inner;

    IConnectionHost? IPooledStatement.Host => _connection;

    string? IPooledStatement.Text => Inner.CommandText;

    // A procedure may do anything to its session, and a table's name may turn out to be the call of a function.
    SqlVerdict IPooledStatement.Verdict => SqlVerdict.Of(CommandType == CommandType.Text ? Inner.CommandText : $"CALL {Inner.CommandText}()");

    bool IParameterised.HasBuiltInParameters => ParameterTypes.AreBuiltIn(Inner.Parameters);

    bool IPooledStatement.IsOneTransaction => true;

    ICommandUser? IPooledStatement.User => User;

    NpgsqlCommand? IPooledStatement.Shareable
        => !_wantsPrepare && CommandType == CommandType.Text && _connection!.Multiplexing != MultiplexingMode.Off && !MultiplexingTag.IsIn(Inner.CommandText)
            && BatchedParameters.CanBeCopied(Inner.Parameters) ? Inner : null;

    /// <inheritdoc cref="IPooledStatement.User"/>
    internal ICommandUser? User { get; set; }

    internal LogicalCommand CreatedBy(CallerInfo creator)
    {
        _creator = creator;
        return this;
    }

    /// <summary>
    /// Asks the server to stop the command, if it is running. Can be called from any thread. Does not throw if it comes too late.
    /// </summary>
    public override void Cancel() => _execution.Cancel();

    /// <inheritdoc/>
    public override int ExecuteNonQuery() => StatementRunner.Run(_execution, Inner, OperationKind.NonQuery, static inner => inner.ExecuteNonQuery());

    /// <inheritdoc/>
    public override Task<int> ExecuteNonQueryAsync(CancellationToken cancellationToken)
        => StatementRunner.RunAsync(_execution, Inner, OperationKind.NonQuery, static (inner, token) => inner.ExecuteNonQueryAsync(token), cancellationToken);

    /// <inheritdoc/>
    public override object? ExecuteScalar() => StatementRunner.Run(_execution, Inner, OperationKind.Scalar, static inner => inner.ExecuteScalar());

    /// <inheritdoc/>
    public override Task<object?> ExecuteScalarAsync(CancellationToken cancellationToken)
        => _connection?.Pool is { Execution.ReadMultiplexer: not null, Context.IsBusy: true }
            ? ReadScalarAsync(cancellationToken)
            : StatementRunner.RunAsync(_execution, Inner, OperationKind.Scalar, static (inner, token) => inner.ExecuteScalarAsync(token), cancellationToken);

    private async Task<object?> ReadScalarAsync(CancellationToken cancellationToken)
    {
        var reader = await StatementRunner.ReadAsync(_execution, Inner, OperationKind.Scalar, ExecuteReaderOf, CommandBehavior.Default, cancellationToken).ConfigureAwait(false);
        await using (reader.ConfigureAwait(false))
        {
            return await reader.ReadAsync(cancellationToken).ConfigureAwait(false) && reader.FieldCount > 0 ? reader.GetValue(0) : null;
        }
    }

    /// <summary>
    /// Prepares the command. The statement stays prepared on each server connection on which it runs. On a new server connection,
    /// it is prepared first.
    /// </summary>
    public override void Prepare()
    {
        _wantsPrepare = true;
        StatementRunner.Run(_execution, Inner, OperationKind.Prepare, static inner =>
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
            Inner,
            OperationKind.Prepare,
            static async (inner, token) =>
            {
                await inner.PrepareAsync(token).ConfigureAwait(false);
                return 0;
            },
            cancellationToken);
    }

    void IPooledStatement.Attach(NpgsqlConnection connection) => Inner.Connection = connection;

    DbDataReader IPooledStatement.Wrap(NpgsqlDataReader inner, IReaderLease lease, IConnectionHost? toClose, bool isSingleRow)
        => new LogicalDataReader(inner, lease, toClose, isSingleRow);

    void IPooledStatement.CancelInner() => Inner.Cancel();

    void IPooledStatement.PrepareIfWanted()
    {
        if (_wantsPrepare && !Inner.IsPrepared)
        {
            Inner.Prepare();
        }
    }

    ValueTask IPooledStatement.PrepareIfWantedAsync(CancellationToken cancellationToken)
        => _wantsPrepare && !Inner.IsPrepared ? new ValueTask(Inner.PrepareAsync(cancellationToken)) : ValueTask.CompletedTask;

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        _disposal.Set(_connection?.Pool?.Guard, running: null);
        await _execution.EndDetachedAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _disposal.Set(_connection?.Pool?.Guard, running: null);
            _execution.EndDetached();
            GiveInner();
        }

        base.Dispose(disposing);
    }

    /// <inheritdoc/>
    protected override DbParameter CreateDbParameter() => Inner.CreateParameter();

    /// <inheritdoc/>
    protected override DbDataReader ExecuteDbDataReader(CommandBehavior behavior)
        => StatementRunner.Read(_execution, Inner, OperationKind.Reader, static (command, behavior) => command.ExecuteReader(behavior), behavior);

    /// <inheritdoc/>
    protected override Task<DbDataReader> ExecuteDbDataReaderAsync(CommandBehavior behavior, CancellationToken cancellationToken)
        => StatementRunner.ReadAsync(_execution, Inner, OperationKind.Reader, ExecuteReaderOf, behavior, cancellationToken);

    // A disposed command keeps its text, but no parameters.
    private NpgsqlCommand Inner => _inner ??= new NpgsqlCommand(_lastText);

    private void GiveInner()
    {
        if (_inner is not { } inner)
        {
            return;
        }

        _lastText = inner.CommandText;
        if (_execution.IsClean && !_wantsPrepare && _timeout is null && _connection?.CurrentTransaction?.TryGiveCommand(inner) == true)
        {
            _inner = null;
        }
        else
        {
            inner.Dispose();
        }
    }

    private static readonly Func<NpgsqlCommand, CommandBehavior, CancellationToken, Task<NpgsqlDataReader>> ExecuteReaderOf
        = static (command, behavior, token) => command.ExecuteReaderAsync(behavior, token);
}
