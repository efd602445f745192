using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// A read that could have shared a round trip and runs solo. Its success and duration decide whether its text may share.
/// </summary>
/// <param name="eligibility">The eligibility of its pool.</param>
/// <param name="read">The batched read that it would have been.</param>
internal sealed class SoloRun(BatchEligibility eligibility, BatchedRead read)
{
    private readonly long _began = eligibility.Now;
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
            eligibility.OnRanSolo(read, eligibility.Now - _began, _hasFailed || read.HasFailedInBatch);
        }
    }
}
