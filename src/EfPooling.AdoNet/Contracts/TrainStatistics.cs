namespace EfPooling.AdoNet;

/// <summary>What the trains of a pool have done since it was made.</summary>
/// <param name="Trains">Round trips that several reads shared.</param>
/// <param name="Passengers">Reads that left in them, those that were set down later included.</param>
/// <param name="Longest">Passengers of the longest train.</param>
/// <param name="SetDowns">Passengers that had to run again elsewhere, by reason.</param>
/// <param name="Barred">How often a text lost the right to board because its turns took too long.</param>
public sealed record TrainStatistics(long Trains, long Passengers, int Longest, IReadOnlyDictionary<SetDownReason, long> SetDowns, long Barred);
