using System.Data;
using System.Net.Sockets;
using System.Reflection;
using System.Runtime.CompilerServices;
using Npgsql;
using Npgsql.Internal;

namespace EfPooling.AdoNet;

/// <summary>Access to members of Npgsql that are not public. NpgsqlInternalsTests fail loudly when Npgsql changes them.</summary>
#pragma warning disable NPG9001 // NpgsqlConnector is internal API of Npgsql, and no public API offers what is used of it here.
internal static class NpgsqlInternals
{
    /// <summary>Whether <see cref="Prepend"/> works with this version of Npgsql. If not, settings cost a round trip of their own.</summary>
    public static readonly bool CanPrepend = HasMethod("PrependInternalMessage", typeof(byte[]), typeof(int)) && HasMethod("get_PendingPrependedResponses")
        && HasMethod("get_PostgresCancellationPerformed");

    /// <summary>
    /// Whether <see cref="IsPreparing"/> knows; if not, more server connections than necessary are closed after failures in read
    /// batches.
    /// </summary>
    public static readonly bool CanTellPreparing = typeof(NpgsqlBatchCommand).GetField("IsPreparing", BindingFlags.Instance | BindingFlags.NonPublic)?.FieldType == typeof(bool);

    /// <summary>
    /// Whether <see cref="IsUserCancelled"/> knows; if not, a caller that cancels the reading of a stream may end the other reads
    /// of its read batch, which then fail as cancelled.
    /// </summary>
    public static readonly bool CanTellCancelled = HasMethod("get_UserCancellationRequested");

    /// <summary>Whether <see cref="CountPrepared"/> knows; if not, server connections are closed instead of reset.</summary>
    public static readonly bool CanCountPrepared = Prepared.Count is not null;

    /// <summary>
    /// Whether <see cref="IsOutsideTransaction"/> knows; if not, some ended transactions are rolled back, and the server logs a
    /// warning.
    /// </summary>
    public static readonly bool CanTellTransaction = HasMethod("get_InTransaction");

    /// <summary>
    /// Whether <see cref="RenewReader"/> works; if not, a reader that was given to EF Core also serves later owners, and an
    /// interceptor that kept it can use it.
    /// </summary>
    public static readonly bool CanRenewReader = HasMethod("set_DataReader", typeof(NpgsqlDataReader))
        && typeof(NpgsqlDataReader).GetConstructor(BindingFlags.Instance | BindingFlags.NonPublic, [typeof(NpgsqlConnector)]) is not null;

    /// <summary>
    /// Whether <see cref="RenewObjects"/> works for transactions; if not, a transaction that a connection initializer has kept
    /// may affect those of the pool.
    /// </summary>
    public static readonly bool CanRenewTransaction = HasMethod("get_Transaction") && HasMethod("set_Transaction", typeof(NpgsqlTransaction));

    /// <summary>
    /// Whether <see cref="IsPeerGone"/> knows; if not, the outcome of a write on a connection that was already dead is called
    /// unknown too.
    /// </summary>
    public static readonly bool CanTellPeer = typeof(NpgsqlConnector).GetField("_socket", BindingFlags.Instance | BindingFlags.NonPublic)?.FieldType == typeof(Socket);

    /// <summary>
    /// Whether <see cref="IsDisposed"/> knows; if not, a pool on a user's data source outlives it until the pool is closed or no
    /// longer referenced.
    /// </summary>
    public static readonly bool CanTellDisposed = typeof(NpgsqlDataSource).GetField("_isDisposed", BindingFlags.Instance | BindingFlags.NonPublic)?.FieldType == typeof(int);

    /// <summary>Whether a data source was disposed. It does not report this itself before the next open.</summary>
    public static bool IsDisposed(NpgsqlDataSource source) => CanTellDisposed && Volatile.Read(ref GetIsDisposed(source)) != 0;

    /// <summary>
    /// Whether <see cref="GetSettings"/> is complete; if not, a data source made by <c>WithTargetSession</c> counts as one that
    /// accepts any host.
    /// </summary>
    public static readonly bool CanTellSettings = HasSourceMethod("get_Settings");

    /// <summary>
    /// Whether <see cref="GetInitializer"/> knows; if not, the settings of a connection initializer are lost with the first
    /// reset.
    /// </summary>
    public static readonly bool CanInitialize = HasSourceMethod("get_ConnectionInitializer") && HasSourceMethod("get_ConnectionInitializerAsync")
        && typeof(NpgsqlConnection).GetMethod("MakeDisposed", BindingFlags.Instance | BindingFlags.NonPublic, []) is not null
        && typeof(NpgsqlConnection).GetMethod("get_NpgsqlDataSource", BindingFlags.Instance | BindingFlags.NonPublic, []) is not null
        && typeof(NpgsqlConnection).GetConstructor(BindingFlags.Instance | BindingFlags.NonPublic, [typeof(NpgsqlDataSource), typeof(NpgsqlConnector)]) is not null
        && HasMethod("set_Connection", typeof(NpgsqlConnection));

    /// <summary>
    /// Makes a batch command forget that it was prepared. Npgsql 10 does not check on which connection that was. On another one
    /// it would run any statement that has the same name there. If the command is still prepared, Npgsql finds it again by its
    /// text.
    /// </summary>
    public static void ForgetPreparation(NpgsqlBatchCommand command)
    {
        var text = command.CommandText;
        Reset(command);
        command.CommandText = text;
    }

    /// <summary>
    /// Sends protocol messages ahead of the next command, as Npgsql itself does with BEGIN. If the server answers with an error,
    /// Npgsql closes the connection and the next command throws that error.
    /// </summary>
    /// <param name="connection">Open, idle and without a keepalive timer, which might write at the same time.</param>
    /// <param name="message">Must fit into the write buffer together with earlier prepended messages.</param>
    /// <param name="answers">How many messages the server answers with, not counting rows.</param>
    public static void Prepend(NpgsqlConnection connection, byte[] message, int answers) => PrependInternalMessage(GetConnector(connection)!, message, answers);

    /// <summary>
    /// Whether prepended messages wait: the command behind them was not sent, or not answered before the connection broke.
    /// </summary>
    public static bool HasPrepended(NpgsqlConnection connection) => GetConnector(connection) is not { } connector || GetPendingPrependedResponses(connector) > 0;

    /// <summary>Whether a cancel request was sent for the latest command, by the user or because it took too long.</summary>
    public static bool WasCancelled(NpgsqlConnection connection) => GetConnector(connection) is { } connector && GetPostgresCancellationPerformed(connector);

    /// <summary>Whether no transaction is open by the server's latest answer, and no BEGIN is pending since.</summary>
    public static bool IsOutsideTransaction(NpgsqlConnection connection)
        => CanTellTransaction && GetConnector(connection) is { } connector && !GetInTransaction(connector);

    /// <summary>
    /// Whether the other side has closed or reset the connection and left nothing to read. Costs one system call.
    /// </summary>
    public static bool IsPeerGone(NpgsqlConnection connection)
    {
        if (!CanTellPeer || GetConnector(connection) is not { } connector || GetSocket(connector) is not { } socket)
        {
            return false;
        }

        try
        {
            return socket.Poll(0, SelectMode.SelectRead) && socket.Available == 0;
        }
        catch (SocketException)
        {
            return true; // The error says that the connection is reset.
        }
        catch (ObjectDisposedException)
        {
            return true;
        }
    }

    /// <summary>
    /// The state of a connection that another thread may be using. If that thread just found it broken, Npgsql throws instead of
    /// answering: it takes this for a fault of its own.
    /// </summary>
    public static ConnectionState GetFullState(NpgsqlConnection connection)
    {
        try
        {
            return connection.FullState;
        }
        catch (InvalidOperationException)
        {
            return ConnectionState.Broken;
        }
    }

    /// <summary>
    /// Gives the connection another reader for its next command. Npgsql reuses one reader per connection. The reader that is open
    /// now continues, and is dead once it is closed.
    /// </summary>
    public static void RenewReader(NpgsqlConnection connection)
    {
        if (CanRenewReader && GetConnector(connection) is { } connector)
        {
            SetDataReader(connector, CreateReader(connector));
        }
    }

    /// <summary>
    /// Invalidates the transaction and reader that a user obtained before the connection joined the pool: an initializer of the
    /// data source, or an earlier user of a data source with a pool of its own.
    /// </summary>
    /// <param name="connection">Open and idle, without a transaction.</param>
    public static void RenewObjects(NpgsqlConnection connection)
    {
        RenewReader(connection);
        if (CanRenewTransaction && GetConnector(connection) is { } connector && GetTransaction(connector) is { } transaction)
        {
            transaction.Dispose();
            SetTransaction(connector, null);
        }
    }

    /// <summary>
    /// How the data source connects, including the kind of host, which the connection string lacks if <c>WithTargetSession</c>
    /// made the data source.
    /// </summary>
    public static NpgsqlConnectionStringBuilder GetSettings(NpgsqlDataSource source)
        => CanTellSettings ? GetSettingsOf(source) : new NpgsqlConnectionStringBuilder(source.ConnectionString);

    /// <summary>The object that knows the states of the hosts; <c>null</c> if the data source has one host.</summary>
    public static NpgsqlMultiHostDataSource? GetMultiHost(NpgsqlDataSource source)
        => source as NpgsqlMultiHostDataSource
            ?? (WrappedSource?.ReflectedType?.IsInstanceOfType(source) == true ? WrappedSource.GetValue(source) as NpgsqlMultiHostDataSource : null);

    /// <summary>The user's initializer for each connection that the data source has opened.</summary>
    public static (Action<NpgsqlConnection> Run, Func<NpgsqlConnection, Task> RunAsync)? GetInitializer(NpgsqlDataSource source)
        => CanInitialize && GetInitializerOf(source) is { } run && GetAsynchronousInitializerOf(source) is { } runAsync ? (run, runAsync) : null;

    /// <summary>Another connection object on the same server connection, until <see cref="EndLoan"/>.</summary>
    public static NpgsqlConnection Lend(NpgsqlConnection connection) => CreateConnection(GetDataSource(connection), GetConnector(connection)!);

    /// <summary>Invalidates the lent object, its transaction and its reader, even if a user has kept them.</summary>
    public static void EndLoan(NpgsqlConnection lent, NpgsqlConnection connection)
    {
        MakeDisposed(lent);
        if (GetConnector(connection) is { } connector)
        {
            SetConnection(connector, connection);
            RenewObjects(connection);
        }
    }

    /// <summary>
    /// Whether a sent batch prepares statements whose results have not been reached; also true if that is unknown.
    /// </summary>
    public static bool IsPreparing(NpgsqlBatch batch)
    {
        for (var i = 0; i < batch.BatchCommands.Count; i++)
        {
            if (!CanTellPreparing || GetIsPreparing(batch.BatchCommands[i]))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Whether the user has cancelled a read of the latest result, even if that read succeeded or was not observed, such as a
    /// stream's.
    /// </summary>
    public static bool IsUserCancelled(NpgsqlConnection connection) => CanTellCancelled && GetConnector(connection) is { } connector && GetUserCancellationRequested(connector);

    /// <summary>How many statements are prepared on the server, as far as Npgsql knows; -1 if unknown.</summary>
    public static int CountPrepared(NpgsqlConnection connection)
        => GetConnector(connection) is { } connector && Prepared.Manager?.GetValue(connector) is { } manager && Prepared.Count?.GetValue(manager) is int count ? count : -1;

    // What WithTargetSession returns. Its type is not public, so no accessor can be compiled. Named in a literal, it survives
    // trimming.
    private static readonly PropertyInfo? WrappedSource
        = Type.GetType("Npgsql.MultiHostDataSourceWrapper, Npgsql")?.GetProperty("WrappedSource", BindingFlags.Instance | BindingFlags.NonPublic);

    // These types are not public either. Used after resets only.
    private static class Prepared
    {
        public static readonly PropertyInfo? Manager = typeof(NpgsqlConnector).GetProperty("PreparedStatementManager", BindingFlags.Instance | BindingFlags.NonPublic);
        public static readonly FieldInfo? Count = Type.GetType("Npgsql.PreparedStatementManager, Npgsql") is { } type && type == Manager?.PropertyType
            ? type.GetField("NumPrepared", BindingFlags.Instance | BindingFlags.NonPublic)
            : null;
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_UserCancellationRequested")]
    private static extern bool GetUserCancellationRequested(NpgsqlConnector connector);

    [UnsafeAccessor(UnsafeAccessorKind.Constructor)]
    private static extern NpgsqlDataReader CreateReader(NpgsqlConnector connector);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_DataReader")]
    private static extern void SetDataReader(NpgsqlConnector connector, NpgsqlDataReader reader);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_Transaction")]
    private static extern NpgsqlTransaction? GetTransaction(NpgsqlConnector connector);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_Transaction")]
    private static extern void SetTransaction(NpgsqlConnector connector, NpgsqlTransaction? transaction);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_Settings")]
    private static extern NpgsqlConnectionStringBuilder GetSettingsOf(NpgsqlDataSource source);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_ConnectionInitializer")]
    private static extern Action<NpgsqlConnection>? GetInitializerOf(NpgsqlDataSource source);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_ConnectionInitializerAsync")]
    private static extern Func<NpgsqlConnection, Task>? GetAsynchronousInitializerOf(NpgsqlDataSource source);

    [UnsafeAccessor(UnsafeAccessorKind.Constructor)]
    private static extern NpgsqlConnection CreateConnection(NpgsqlDataSource source, NpgsqlConnector connector);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_NpgsqlDataSource")]
    private static extern NpgsqlDataSource GetDataSource(NpgsqlConnection connection);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "MakeDisposed")]
    private static extern void MakeDisposed(NpgsqlConnection connection);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_Connection")]
    private static extern void SetConnection(NpgsqlConnector connector, NpgsqlConnection? connection);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_InTransaction")]
    private static extern bool GetInTransaction(NpgsqlConnector connector);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_socket")]
    private static extern ref Socket GetSocket(NpgsqlConnector connector);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "IsPreparing")]
    private static extern ref bool GetIsPreparing(NpgsqlBatchCommand command);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_isDisposed")]
    private static extern ref int GetIsDisposed(NpgsqlDataSource source);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "Reset")]
    private static extern void Reset(NpgsqlBatchCommand command);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_Connector")]
    private static extern NpgsqlConnector? GetConnector(NpgsqlConnection connection);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "PrependInternalMessage")]
    private static extern void PrependInternalMessage(NpgsqlConnector connector, byte[] rawMessage, int responseMessageCount);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_PendingPrependedResponses")]
    private static extern int GetPendingPrependedResponses(NpgsqlConnector connector);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_PostgresCancellationPerformed")]
    private static extern bool GetPostgresCancellationPerformed(NpgsqlConnector connector);

    private static bool HasSourceMethod(string name) => typeof(NpgsqlDataSource).GetMethod(name, BindingFlags.Instance | BindingFlags.NonPublic, []) is not null;

    private static bool HasMethod(string name, params Type[] parameters)
        => typeof(NpgsqlConnection).GetMethod("get_Connector", BindingFlags.Instance | BindingFlags.NonPublic, []) is not null
            && typeof(NpgsqlConnector).GetMethod(name, BindingFlags.Instance | BindingFlags.NonPublic, parameters) is not null;
}
#pragma warning restore NPG9001
