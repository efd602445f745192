using EfPooling.Benchmarks.Load.Data;

namespace EfPooling.Benchmarks.Load.Apis;

/// <summary>What the scenarios do, through one API. Each call is one caller's whole operation: it opens a connection or context and closes it. Thread-safe.</summary>
internal interface IDataApi
{
    /// <summary>Does what an application that runs has done long ago, such as compiling the query of <see cref="ReadItemAsync"/>, without connecting.</summary>
    Task PrepareAsync();

    /// <summary>Reads the item with this key.</summary>
    Task ReadItemAsync(int id);

    /// <summary>Reads the rows of a page, all columns.</summary>
    Task ReadPageAsync(int page);

    /// <summary>Updates the item with this key, in a transaction of its own.</summary>
    Task UpdateItemAsync(int id);

    /// <summary>The five statements of pgbench in one transaction.</summary>
    Task TransferAsync(Transfer transfer);

    /// <summary>Opens a connection, reads an item, works, reads another item, closes.</summary>
    Task HoldAsync(int firstId, int secondId, Func<Task> work);
}
