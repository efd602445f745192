namespace EfPooling.Core;

/// <summary>A running lease, as diagnostics see it.</summary>
/// <param name="Slot">The slot's number, from 0.</param>
/// <param name="Age">How long the lease has been running.</param>
/// <param name="Scope">What ends it.</param>
/// <param name="Activity">What the holder is doing, without parameter values; <c>null</c> if unknown.</param>
public sealed record LeaseInfo(int Slot, TimeSpan Age, LeaseScope? Scope, string? Activity);
