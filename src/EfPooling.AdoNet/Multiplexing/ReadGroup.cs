namespace EfPooling.AdoNet;

/// <summary>Reads that may share a batch: same session settings, same time-out, same way of reading. Guarded by the gate of <see cref="ReadGroups"/>.</summary>
internal sealed class ReadGroup
{
    private readonly Queue<BatchedRead> _followers = new();

    /// <summary>The reads that wait in the pool's own queue for a server connection and will take followers along.</summary>
    public int Leaders { get; private set; }

    public bool IsEmpty => Leaders == 0 && _followers.Count == 0;

    /// <returns>Whether a leader will take it along; otherwise it leads.</returns>
    public bool TryFollow(BatchedRead read, int places)
    {
        if (_followers.Count >= Leaders * (places - 1))
        {
            Leaders++;
            return false;
        }

        _followers.Enqueue(read);
        return true;
    }

    public void AddLeader() => Leaders++;

    /// <summary>A leader got its server connection.</summary>
    /// <returns>Its followers, some of which may have left meanwhile.</returns>
    public BatchedRead[] TakeFollowers(int places)
    {
        Leaders--;
        var count = Math.Min(_followers.Count, places - 1);
        if (count == 0)
        {
            return [];
        }

        var followers = new BatchedRead[count];
        for (var i = 0; i < count; i++)
        {
            followers[i] = _followers.Dequeue();
        }

        return followers;
    }

    /// <summary>
    /// A leader stopped waiting. The follower that has waited longest replaces it, because a later leader would stop waiting
    /// later.
    /// </summary>
    public void ReplaceLeader()
    {
        Leaders--;
        while (_followers.TryDequeue(out var follower))
        {
            if (follower.TryPromote())
            {
                Leaders++;
                return;
            }
        }
    }

    /// <summary>Ensures that there are enough leaders for all waiting reads.</summary>
    public void Promote(int places)
    {
        while (_followers.Count > Leaders * (places - 1) && _followers.TryDequeue(out var follower))
        {
            Leaders += follower.TryPromote() ? 1 : 0;
        }
    }
}
