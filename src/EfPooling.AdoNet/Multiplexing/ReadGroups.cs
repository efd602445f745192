using System.Data;

namespace EfPooling.AdoNet;

/// <summary>The groups of a pool, one for each kind of batch. Thread-safe.</summary>
/// <param name="commandTimeout">The pool's own time-out, in seconds.</param>
internal sealed class ReadGroups(int commandTimeout)
{
    private const int Places = 32;

    private readonly Lock _gate = new();
    private readonly ReadGroup _main = new(); // guarded by _gate: without settings, with the pool's own time-out, not sequential
    private readonly Dictionary<(SettingMap, int, CommandBehavior), ReadGroup> _others = []; // guarded by _gate

    /// <inheritdoc cref="ReadGroup.TryFollow"/>
    public bool TryFollow(BatchedRead read)
    {
        lock (_gate)
        {
            return GroupOf(read).TryFollow(read, Places);
        }
    }

    /// <summary>The batched read waits in the pool's own queue from now on.</summary>
    public void AddLeader(BatchedRead read)
    {
        lock (_gate)
        {
            GroupOf(read).AddLeader();
        }
    }

    /// <inheritdoc cref="ReadGroup.ReplaceLeader"/>
    public void ReplaceLeader(BatchedRead leader)
    {
        lock (_gate)
        {
            var group = GroupOf(leader);
            group.ReplaceLeader();
            Settle(leader, group);
        }
    }

    /// <inheritdoc cref="ReadGroup.TakeFollowers"/>
    public BatchedRead[] TakeFollowers(BatchedRead leader)
    {
        lock (_gate)
        {
            var group = GroupOf(leader);
            var followers = group.TakeFollowers(Places);
            Settle(leader, group);
            return followers;
        }
    }

    // Requires the gate.
    private ReadGroup GroupOf(BatchedRead read)
    {
        if (read.Wanted.IsEmpty && read.CommandTimeout == commandTimeout && read.Behavior == CommandBehavior.Default)
        {
            return _main;
        }

        var key = (read.Wanted, read.CommandTimeout, read.Behavior);
        if (!_others.TryGetValue(key, out var group))
        {
            _others[key] = group = new ReadGroup();
        }

        return group;
    }

    // Requires the gate. Settings have very many values, so an unused group must be removed.
    private void Settle(BatchedRead leader, ReadGroup group)
    {
        group.Promote(Places);
        if (group.IsEmpty && !ReferenceEquals(group, _main))
        {
            _others.Remove((leader.Wanted, leader.CommandTimeout, leader.Behavior));
        }
    }
}
