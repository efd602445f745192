namespace EfPooling.Dev.Tests;

/// <summary>Tells when a directory is removed.</summary>
internal sealed class Removal : IDisposable
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly FileSystemWatcher _watcher;

    public Removal(string directory)
    {
        _watcher = new FileSystemWatcher(Path.GetDirectoryName(directory)!, Path.GetFileName(directory))
        {
            NotifyFilter = NotifyFilters.DirectoryName,
        };
        _watcher.Deleted += (_, _) => _done.TrySetResult();
        _watcher.EnableRaisingEvents = true;
        if (!Directory.Exists(directory))
        {
            _done.TrySetResult();
        }
    }

    public Task Done => _done.Task;

    public void Dispose() => _watcher.Dispose();
}
