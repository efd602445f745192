namespace EfPooling.AdoNet;

/// <summary>
/// What a statement holds of its logical connection while it runs: the claim, or leave to run beside it. A field of its
/// <see cref="StatementLease"/>, never copied.
/// </summary>
internal struct StatementClaim
{
    private ConnectionBinder? _binder; // of the latest run
    private ApartOperations? _apart; // runs beside the claim if not null
    private int _isClaiming; // Interlocked only: 1 from the claim, before there is a binding, until the claim is given up

    /// <summary>What the statement runs on, or ran on last.</summary>
    public readonly ConnectionBinder Binder => _binder!;

    /// <summary>Whether it runs beside the claim.</summary>
    public readonly bool IsApart => _apart is not null;

    /// <summary>Whether the statement runs, or waits for its turn with the claim or for a server connection.</summary>
    public bool IsRunning => Volatile.Read(ref _isClaiming) != 0;

    /// <summary>The statement has just taken the claim.</summary>
    /// <exception cref="ConcurrentUseException">The command itself runs already, beside the claim, which is given up again.</exception>
    public void OnTaken(ConnectionBinder binder, StatementLease statement, OperationKind kind)
    {
        if (!binder.Guard.MayStepAside)
        {
            Volatile.Write(ref _isClaiming, 1);
        }
        else if (Interlocked.Exchange(ref _isClaiming, 1) == 1)
        {
            binder.Claim.GiveUp(statement);
            throw binder.Claim.Refuse(statement, kind, statement);
        }

        _apart = null;
        _binder = binder;
    }

    /// <summary>The statement has found the connection busy, so it runs beside the claim.</summary>
    /// <returns>Where it gets a server connection; after that <see cref="GiveUp"/> must follow, or <see cref="LeaveApart"/> if it gets none.</returns>
    /// <exception cref="ConcurrentUseException">The options do not allow it, or the command itself runs already.</exception>
    public ApartOperations StepAside(ConnectionBinder binder, StatementLease statement, OperationKind kind, out bool isNested)
    {
        var apart = binder.Claim.StepAside(statement, kind, statement, out isNested);
        if (Interlocked.CompareExchange(ref _isClaiming, 1, 0) != 0)
        {
            throw binder.Claim.Refuse(statement, kind, statement); // One command cannot run twice at a time, wherever it runs.
        }

        _apart = apart;
        _binder = binder;
        return apart;
    }

    /// <summary>It did not get a server connection.</summary>
    public void LeaveApart() => Volatile.Write(ref _isClaiming, 0);

    public void GiveUp(StatementLease statement)
    {
        var (binder, apart) = (_binder!, _apart); // Read first: once it claims no more, its next run may write them.
        apart?.OnEnded();
        Volatile.Write(ref _isClaiming, 0);
        if (apart is null)
        {
            binder.Claim.GiveUp(statement);
        }
    }

    public readonly void SetReader(IOpenResult reader)
    {
        if (_apart is null)
        {
            Binder.Claim.SetReader(reader);
        }
        else
        {
            _apart.Add(reader);
        }
    }

    public readonly void RemoveReader(IOpenResult reader)
    {
        if (_apart is null)
        {
            Binder.Claim.SetReader(null);
        }
        else
        {
            _apart.Remove(reader);
        }
    }

    /// <summary>The reader was given away, so the lease ends with the connection, if it does not end before.</summary>
    public readonly void SetDetached(StatementLease statement)
    {
        if (_apart is null)
        {
            Binder.Claim.SetDetached(statement);
        }
    }
}
