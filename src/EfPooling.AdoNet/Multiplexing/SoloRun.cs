using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>A read that could have travelled and runs alone: how it does says whether its text may board.</summary>
/// <param name="rights">Of its pool.</param>
/// <param name="passenger">As which it would have.</param>
internal sealed class SoloRun(BoardingRights rights, Passenger passenger)
{
    private readonly long _began = rights.Now;
    private bool _hasFailed;
    private bool _isCancelled;

    public void OnFailed(Exception error)
    {
        if (error is OperationCanceledException or PostgresException { SqlState: PostgresErrorCodes.QueryCanceled })
        {
            _isCancelled = true;
        }
        else
        {
            _hasFailed = true;
        }
    }

    public void End()
    {
        if (!_isCancelled || _hasFailed)
        {
            rights.OnRanAlone(passenger, rights.Now - _began, _hasFailed || passenger.HasFailedAboard);
        }
    }
}
