using System.Reflection;
using System.Transactions;

namespace EfPooling.AdoNet;

/// <summary>
/// Who takes part in a transaction. System.Transactions does not say, so this reads its fields: the only file that does. AmbientParticipantsTests fail when they change; until then a commit in
/// two phases that the server does not allow fails with the server's error.
/// </summary>
internal static class TransactionParticipants
{
    private const BindingFlags Fields = BindingFlags.Instance | BindingFlags.NonPublic;

    private static readonly FieldInfo? Internal = typeof(Transaction).GetField("_internalTransaction", Fields);
    // Types that are named in a literal survive trimming, with the field that is asked for.
    private static readonly FieldInfo? Durable = Type.GetType("System.Transactions.InternalTransaction, System.Transactions.Local")?.GetField("_durableEnlistment", Fields);
    private static readonly FieldInfo? Volatile = Type.GetType("System.Transactions.InternalTransaction, System.Transactions.Local")?.GetField("_phase1Volatiles", Fields);
    private static readonly FieldInfo? Enlistments = Type.GetType("System.Transactions.VolatileEnlistmentSet, System.Transactions.Local")?.GetField("_volatileEnlistments", Fields);
    private static readonly FieldInfo? Notifications = Type.GetType("System.Transactions.InternalEnlistment, System.Transactions.Local")?.GetField("_twoPhaseNotifications", Fields);

    // Each field is found in what the one before it leads to.
    private static readonly bool IsKnown = Leads(Internal, Durable) && Leads(Internal, Volatile) && Leads(Volatile, Enlistments) && Leads(Durable, Notifications);

    /// <summary>What each participant is told of the outcome with; those that only want to hear that the commit begins are no participants.</summary>
    /// <returns><c>null</c>: it cannot be said.</returns>
    public static IReadOnlyList<object>? Find(Transaction transaction)
    {
        if (!IsKnown || Internal!.GetValue(transaction) is not { } state)
        {
            return null;
        }

        var volatiles = (Array?)Enlistments!.GetValue(Volatile!.GetValue(state)) ?? Array.Empty<object>();
        return [.. volatiles.Cast<object?>().Append(Durable!.GetValue(state)).Where(static one => one is not null).Select(static one => Notifications!.GetValue(one)).OfType<object>()];
    }

    /// <summary>Names them for people.</summary>
    public static string Describe(IEnumerable<object> participants)
        => string.Join(" and ", participants.Select(static one => one switch
        {
            INamed ours => $"pool '{ours.PoolName}'",
            _ when one.GetType().Assembly == typeof(Npgsql.NpgsqlConnection).Assembly => "an NpgsqlConnection that is none of the pool's",
            _ => one.GetType().FullName,
        }));

    private static bool Leads(FieldInfo? from, FieldInfo? to) => from is not null && to?.ReflectedType == from.FieldType;

    /// <summary>Takes part in an ambient transaction for a pool.</summary>
    internal interface INamed
    {
        string PoolName { get; }
    }
}
