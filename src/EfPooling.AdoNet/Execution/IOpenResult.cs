namespace EfPooling.AdoNet;

/// <summary>The open result of an operation, which closes with its connection or transaction: a reader.</summary>
internal interface IOpenResult
{
    /// <summary>Whether a read is under way at this moment.</summary>
    bool IsReading { get; }

    void Close();

    Task CloseAsync();
}
