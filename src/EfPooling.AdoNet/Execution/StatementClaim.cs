namespace EfPooling.AdoNet;

/// <summary>
/// What a statement holds of its logical connection while it runs: the claim, or leave to run beside it. A field of its
/// <see cref="StatementLease"/>, never copied.
/// </summary>
internal struct StatementClaim
{
    private ConnectionScope? _connectionScope; // of the latest run
    private SideOperations? _side; // runs beside the claim if not null
    private int _isClaiming; // Interlocked only: 1 from the claim, before there is a binding, until the claim is given up

    /// <summary>What the statement runs on, or ran on last.</summary>
    public readonly ConnectionScope ConnectionScope => _connectionScope!;

    /// <summary>Whether it runs beside the claim.</summary>
    public readonly bool IsSide => _side is not null;

    /// <summary>Whether the statement runs, or waits for its turn with the claim or for a server connection.</summary>
    public bool IsRunning => Volatile.Read(ref _isClaiming) != 0;

    /// <summary>The statement has just taken the claim.</summary>
    /// <exception cref="ConcurrentUseException">The command itself runs already, beside the claim, which is given up again.</exception>
    public void OnTaken(ConnectionScope connectionScope, StatementLease statement, OperationKind kind)
    {
        if (!connectionScope.Guard.MayRunBeside)
        {
            Volatile.Write(ref _isClaiming, 1);
        }
        else if (Interlocked.Exchange(ref _isClaiming, 1) == 1)
        {
            connectionScope.Claim.GiveUp(statement);
            throw connectionScope.Claim.Refuse(statement, kind, statement);
        }

        _side = null;
        _connectionScope = connectionScope;
    }

    /// <summary>The statement has found the connection busy, so it runs beside the claim.</summary>
    /// <returns>Where it gets a server connection; after that <see cref="GiveUp"/> must follow, or <see cref="LeaveSide"/> if it gets none.</returns>
    /// <exception cref="ConcurrentUseException">The options do not allow it, or the command itself runs already.</exception>
    public SideOperations RunBeside(ConnectionScope connectionScope, StatementLease statement, OperationKind kind, out bool isNested)
    {
        var apart = connectionScope.Claim.RunBeside(statement, kind, statement, out isNested);
        if (Interlocked.CompareExchange(ref _isClaiming, 1, 0) != 0)
        {
            throw connectionScope.Claim.Refuse(statement, kind, statement); // One command cannot run twice at a time, wherever it runs.
        }

        _side = apart;
        _connectionScope = connectionScope;
        return apart;
    }

    /// <summary>It did not get a server connection.</summary>
    public void LeaveSide() => Volatile.Write(ref _isClaiming, 0);

    public void GiveUp(StatementLease statement)
    {
        var (connectionScope, apart) = (_connectionScope!, _side); // Read first: once it claims no more, its next run may write them.
        apart?.OnEnded();
        Volatile.Write(ref _isClaiming, 0);
        if (apart is null)
        {
            connectionScope.Claim.GiveUp(statement);
        }
    }

    public readonly void SetReader(IOpenResult reader)
    {
        if (_side is null)
        {
            ConnectionScope.Claim.SetReader(reader);
        }
        else
        {
            _side.Add(reader);
        }
    }

    public readonly void RemoveReader(IOpenResult reader)
    {
        if (_side is null)
        {
            ConnectionScope.Claim.SetReader(null);
        }
        else
        {
            _side.Remove(reader);
        }
    }

    /// <summary>The reader was given away, so the lease ends with the connection, if it does not end before.</summary>
    public readonly void SetDetached(StatementLease statement)
    {
        if (_side is null)
        {
            ConnectionScope.Claim.SetDetached(statement);
        }
    }
}
