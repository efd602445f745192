namespace EfPooling.AdoNet;

/// <summary>
/// The server connection of this transaction broke earlier, so the server has rolled the transaction back. The connection was
/// closed. Nothing was sent.
/// </summary>
public sealed class TransactionBrokenException : InvalidOperationException
{
    internal TransactionBrokenException(Exception? cause)
        : base("The server connection of this transaction broke, and the server has rolled the transaction back. The connection was closed: roll the transaction back or dispose it, open the connection again, and run the whole transaction again.", cause)
    {
    }
}
