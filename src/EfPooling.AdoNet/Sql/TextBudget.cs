namespace EfPooling.AdoNet.Sql;

/// <summary>
/// The most texts, and characters of them and of what is known about them, that a cache may keep alive. Thread-safe; concurrent
/// callers may overdraw it by their own texts.
/// </summary>
internal sealed class TextBudget(int texts, int characters = 2_000_000)
{
    private int _texts; // Interlocked only
    private int _characters; // Interlocked only

    /// <param name="length">How much the text keeps alive, in characters.</param>
    /// <returns>Whether it fits. If not, the caller empties its cache and puts this text in first.</returns>
    public bool TryTake(int length)
    {
        if (Interlocked.Increment(ref _texts) <= texts & Interlocked.Add(ref _characters, length) <= characters)
        {
            return true;
        }

        Interlocked.Exchange(ref _texts, 1);
        Interlocked.Exchange(ref _characters, length);
        return false;
    }
}
