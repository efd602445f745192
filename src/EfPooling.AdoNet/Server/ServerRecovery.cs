using EfPooling.AdoNet.Sql;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>How a pool recovers its server connections.</summary>
/// <param name="CanPrepend">Whether session settings may travel ahead of a statement; otherwise they cost a round trip.</param>
/// <param name="ResetPolicy">When a connection is reset.</param>
/// <param name="Shuffle">Whether every lease ends with a reset, and every other one leaves foreign session state behind.</param>
/// <param name="Catalogs">What is known of the database.</param>
/// <param name="Pool">The pool's name.</param>
/// <param name="VerifySessions">
/// Whether the session is compared with its earlier state after each lease that was judged clean.
/// </param>
/// <param name="Hosts">The rules for the hosts of its connections; <c>null</c> if there is one host.</param>
/// <param name="Initializer">The user's initializer for each opened connection; <c>null</c>: none.</param>
internal sealed record ServerRecovery(
    bool CanPrepend,
    ResetPolicy ResetPolicy,
    bool Shuffle,
    CatalogKeeper Catalogs,
    string Pool,
    bool VerifySessions,
    HostRules? Hosts,
    SessionInitializer? Initializer)
{
    private const Taint Unclean = Taint.Dirty | Taint.Unresettable | Taint.OpenTransaction | Taint.Desynchronized;

    /// <summary>Whether the session must be compared after a lease that left this behind.</summary>
    public bool Verifies(Taint taint) => VerifySessions && ResetPolicy != ResetPolicy.Never && (taint & Unclean) == 0;

    /// <summary>What must be recovered at the end of a lease that left this behind.</summary>
    public Taint Required(Taint taint) => ResetPolicy switch
    {
        _ when Shuffle => taint | Taint.Dirty,
        ResetPolicy.Always => taint | Taint.Dirty,
        ResetPolicy.Never => taint & ~(Taint.Dirty | Taint.Unresettable),
        _ => taint,
    };

    /// <summary>
    /// Whether session settings may travel ahead of statements: in UTF-8, and without a keepalive timer that might write at the
    /// same time.
    /// </summary>
    public static bool LetsPrepend(NpgsqlDataSource source)
    {
        var keywords = new NpgsqlConnectionStringBuilder(source.ConnectionString);
        return NpgsqlInternals.CanPrepend && keywords.KeepAlive == 0 && IsUtf8(keywords.ClientEncoding) && IsUtf8(keywords.Encoding);
    }

    private static bool IsUtf8(string? encoding) => encoding is null || encoding.Replace("-", "", StringComparison.Ordinal).Equals("UTF8", StringComparison.OrdinalIgnoreCase);
}
