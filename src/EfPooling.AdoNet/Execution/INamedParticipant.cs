namespace EfPooling.AdoNet;

/// <summary>Takes part in an ambient transaction for a pool.</summary>
internal interface INamedParticipant
{
    string PoolName { get; }
}
