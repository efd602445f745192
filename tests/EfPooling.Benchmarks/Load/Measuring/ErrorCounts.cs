namespace EfPooling.Benchmarks.Load.Measuring;

/// <summary>How often what went wrong. Not thread-safe.</summary>
internal sealed class ErrorCounts
{
    private readonly Dictionary<string, int> _counts = [];

    public int Total => _counts.Values.Sum();

    public void Add(Exception exception) => Add(Describe(exception), 1);

    public void Add(string description, int count)
        => _counts[description] = _counts.GetValueOrDefault(description) + count;

    public void Add(ErrorCounts other)
    {
        foreach (var (description, count) in other._counts)
        {
            Add(description, count);
        }
    }

    /// <summary>The most frequent ones first.</summary>
    public IEnumerable<string> Describe()
        => _counts.OrderByDescending(count => count.Value).Select(count => $"{count.Value} times {count.Key}");

    private static string Describe(Exception exception)
    {
        var cause = exception.InnerException is null ? "" : $" ({exception.InnerException.GetType().Name}: {FirstLine(exception.InnerException)})";
        return $"{exception.GetType().Name}: {FirstLine(exception)}{cause}";
    }

    private static string FirstLine(Exception exception) => exception.Message.Split('\n')[0].Trim();
}
