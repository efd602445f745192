namespace EfPooling.AdoNet;

/// <summary>One use of a logical connection, from its open to its close. After the close, it follows no more settings.</summary>
internal interface IOpening
{
    bool IsClosed { get; }
}
