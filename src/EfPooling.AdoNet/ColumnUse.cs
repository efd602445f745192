namespace EfPooling.AdoNet;

/// <summary>
/// The right to use what Npgsql made for one column, a stream or a text reader. It ends when the reader is closed or makes another one: Npgsql uses the
/// same object again for later columns, also for those of the server connection's next owner. One use at a time, and not while the reader is moved.
/// </summary>
internal sealed class ColumnUse(IColumnReader reader)
{
    /// <exception cref="ObjectDisposedException">The right has ended.</exception>
    /// <exception cref="ConcurrentUseException">Another task is reading.</exception>
    public Turn Enter()
    {
        reader.EnterColumn(this);
        return new Turn(reader);
    }

    /// <returns>Whether the right has not ended and nobody is reading; then <see cref="Turn.Dispose"/> must follow.</returns>
    public bool TryEnter(out Turn turn)
    {
        turn = new Turn(reader);
        return reader.TryEnterColumn(this);
    }

    /// <summary>What was used threw this.</summary>
    public void Observe(Exception error) => reader.ObserveColumn(error);

    /// <summary>One use; disposing ends it.</summary>
    public readonly struct Turn(IColumnReader reader) : IDisposable
    {
        public void Dispose() => reader.LeaveColumn();
    }
}
