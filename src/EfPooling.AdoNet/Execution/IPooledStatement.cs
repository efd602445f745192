using EfPooling.AdoNet.Sql;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>A command or batch, as <see cref="StatementRunner"/> and <see cref="StatementLease"/> see it.</summary>
internal interface IPooledStatement
{
    LogicalConnection? LogicalConnection { get; }

    /// <summary>In which it says that it runs; <c>null</c> if it leaves that to its connection.</summary>
    LogicalTransaction? Transaction { get; }

    /// <summary>The SQL, for diagnostics.</summary>
    string? Text { get; }

    /// <summary>What can be known about its SQL.</summary>
    SqlVerdict Verdict { get; }

    /// <summary>Every parameter is certainly of a type of the server's own.</summary>
    bool HasBuiltInParameters { get; }

    /// <summary>Where it was created; <c>null</c> if that is not known.</summary>
    string? Origin { get; }

    /// <summary>Set when it was disposed.</summary>
    DisposalNote Disposal { get; }

    /// <summary>Outside a transaction, the server undoes all of it when one of its statements fails, because no error barriers are asked for.</summary>
    bool IsOneTransaction { get; }

    /// <summary>On whose behalf it runs; <c>null</c> if that is whoever made the connection.</summary>
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
}
