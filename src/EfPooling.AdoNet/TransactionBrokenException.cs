namespace EfPooling.AdoNet;

/// <summary>The server connection of this transaction broke earlier, which ended the transaction: the server has rolled it back. Nothing was sent.</summary>
public sealed class TransactionBrokenException : InvalidOperationException
{
    internal TransactionBrokenException(Exception? cause)
        : base("The server connection of this transaction broke, and the server has rolled the transaction back. Roll it back or dispose it, then run the whole transaction again.", cause)
    {
    }
}
