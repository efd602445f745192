namespace EfPooling.AdoNet;

/// <summary>
/// The right to use Npgsql's stream or text reader of one column. It ends when the reader is closed or creates another one:
/// Npgsql reuses the object for later columns, including those of the server connection's next owner. One use at a time, and not
/// while the reader moves.
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

    /// <returns>
    /// Whether the right has not ended and no other flow is reading; then <see cref="Turn.Dispose"/> must follow.
    /// </returns>
    public bool TryEnter(out Turn turn)
    {
        turn = new Turn(reader);
        return reader.TryEnterColumn(this);
    }

    /// <summary>The used object threw this.</summary>
    public void Observe(Exception error) => reader.ObserveColumn(error);

    /// <summary>One use; disposing ends it.</summary>
    public readonly struct Turn(IColumnReader reader) : IDisposable
    {
        public void Dispose() => reader.LeaveColumn();
    }
}
