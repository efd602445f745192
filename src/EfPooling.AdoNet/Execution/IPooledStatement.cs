using System.Data.Common;
using EfPooling.AdoNet.Sql;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>A command or batch, as <see cref="StatementRunner"/> and <see cref="StatementExecution"/> see it.</summary>
internal interface IPooledStatement : IParameterised
{
    /// <summary>Of its connection; <c>null</c> if it has none.</summary>
    IConnectionHost? Host { get; }

    /// <summary>In which it says that it runs; <c>null</c> if it leaves that to its connection.</summary>
    ServerTransaction? Transaction { get; }

    /// <summary>The SQL, for diagnostics.</summary>
    string? Text { get; }

    /// <summary>What can be known about its SQL.</summary>
    SqlVerdict Verdict { get; }

    /// <summary>Where it was created; <c>null</c> if that is not known.</summary>
    string? Origin { get; }

    /// <summary>Set when it was disposed.</summary>
    DisposalNote Disposal { get; }

    /// <summary>Outside a transaction, the server undoes all of it when one of its statements fails, because no error barriers are asked for.</summary>
    bool IsOneTransaction { get; }

    /// <summary>The object on whose behalf it runs; <c>null</c>: the creator of the connection.</summary>
    ICommandUser? User { get; }

    /// <summary>The command that may share a round trip with others if its text allows it; <c>null</c> if it must have its own.</summary>
    NpgsqlCommand? Shareable { get; }

    /// <summary>In seconds.</summary>
    int CommandTimeout { get; }

    /// <summary>Puts the inner command on a server connection.</summary>
    void Attach(NpgsqlConnection connection);

    /// <summary>Carries out an explicit <c>Prepare</c> on this server connection, if one was asked for and it has not been prepared here.</summary>
    void PrepareIfWanted();

    /// <inheritdoc cref="PrepareIfWanted"/>
    ValueTask PrepareIfWantedAsync(CancellationToken cancellationToken);

    void CancelInner();

    /// <summary>The reader that the caller gets.</summary>
    /// <param name="inner">Npgsql's.</param>
    /// <param name="lease">Ends with it.</param>
    /// <param name="toClose">Closes with it; <c>null</c>: nothing.</param>
    /// <param name="isSingleRow">It ends behind the first row.</param>
    DbDataReader Wrap(NpgsqlDataReader inner, IReaderLease lease, IConnectionHost? toClose, bool isSingleRow);
}
