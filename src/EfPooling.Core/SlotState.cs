namespace EfPooling.Core;

/// <summary>What a slot is doing. See the state diagram in docs/architecture.md.</summary>
internal enum SlotState
{
    Free,
    Opening,
    Idle,
    InUse,
    Closing,
}
