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
    private static readonly FieldInfo? Durable = Internal?.FieldType.GetField("_durableEnlistment", Fields);
    private static readonly FieldInfo? Volatile = Internal?.FieldType.GetField("_phase1Volatiles", Fields);
    private static readonly FieldInfo? Enlistments = Volatile?.FieldType.GetField("_volatileEnlistments", Fields);
    private static readonly FieldInfo? Notifications = Durable?.FieldType.GetField("_twoPhaseNotifications", Fields);

    /// <summary>What each participant is told of the outcome with; those that only want to hear that the commit begins are no participants.</summary>
    /// <returns><c>null</c>: it cannot be said.</returns>
    public static IReadOnlyList<object>? Find(Transaction transaction)
    {
        if (Internal?.GetValue(transaction) is not { } state || Durable is null || Enlistments is null || Notifications is null)
        {
            return null;
        }

        var volatiles = (Array?)Enlistments.GetValue(Volatile!.GetValue(state)) ?? Array.Empty<object>();
        return [.. volatiles.Cast<object?>().Append(Durable.GetValue(state)).Where(static one => one is not null).Select(static one => Notifications.GetValue(one)).OfType<object>()];
    }

    /// <summary>Names them for people.</summary>
    public static string Describe(IEnumerable<object> participants)
        => string.Join(" and ", participants.Select(static one => one switch
        {
            INamedParticipant ours => $"pool '{ours.PoolName}'",
            _ when one.GetType().Assembly == typeof(Npgsql.NpgsqlConnection).Assembly => "an NpgsqlConnection that is none of the pool's",
            _ => one.GetType().FullName,
        }));
}
