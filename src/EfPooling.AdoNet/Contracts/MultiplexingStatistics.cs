namespace EfPooling.AdoNet;

/// <summary>What multiplexing has done in a pool since the pool was created.</summary>
/// <param name="Batches">Round trips that several reads shared.</param>
/// <param name="BatchedReads">Reads that were sent in them, reads that were requeued later included.</param>
/// <param name="LargestBatch">Reads in the largest batch.</param>
/// <param name="Requeued">Batched reads that had to run again elsewhere, by reason.</param>
/// <param name="Suspended">How often a text was suspended from sharing because it took too long.</param>
public sealed record MultiplexingStatistics(long Batches, long BatchedReads, int LargestBatch, IReadOnlyDictionary<RequeueReason, long> Requeued, long Suspended);
