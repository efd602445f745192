namespace EfPooling.AdoNet;

/// <summary>One use of a logical connection, from its open to its close. Once it is closed, no setting follows it any more.</summary>
internal interface IOpening
{
    bool IsClosed { get; }
}
