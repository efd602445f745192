namespace EfPooling.AdoNet;

/// <summary>The bytes of a column. Once its <see cref="ColumnUse"/> has ended, it never touches Npgsql's own stream again.</summary>
internal sealed class ColumnStream(Stream inner, ColumnUse use) : Stream
{
    private bool _isDisposed; // used by the reading flow

    public override bool CanRead => !_isDisposed;

    public override bool CanWrite => false;

    public override bool CanSeek => !_isDisposed && Ask(static inner => inner.CanSeek);

    public override bool CanTimeout => false;

    public override long Length => Ask(static inner => inner.Length);

    public override long Position
    {
        get => Ask(static inner => inner.Position);
        set => Seek(value, SeekOrigin.Begin);
    }

    public override long Seek(long offset, SeekOrigin origin)
    {
        using var turn = Enter();
        return inner.Seek(offset, origin);
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        return Read(buffer.AsSpan(offset, count));
    }

    public override int Read(Span<byte> buffer)
    {
        using var turn = Enter();
        try
        {
            return inner.Read(buffer);
        }
        catch (Exception e)
        {
            use.Observe(e);
            throw;
        }
    }

    public override int ReadByte()
    {
        Span<byte> one = stackalloc byte[1];
        return Read(one) == 0 ? -1 : one[0];
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        using var turn = Enter();
        try
        {
            return await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            use.Observe(e);
            throw;
        }
    }

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken)
        => cancellationToken.IsCancellationRequested ? Task.FromCanceled(cancellationToken) : Task.CompletedTask;

    public override void SetLength(long value) => throw new NotSupportedException("The stream can only be read.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("The stream can only be read.");

    // Reads nothing: the reader skips the rest of the column when it moves on.
    protected override void Dispose(bool disposing)
    {
        if (disposing && !_isDisposed && use.TryEnter(out var turn))
        {
            using (turn)
            {
                inner.Dispose();
            }
        }

        _isDisposed = true;
        base.Dispose(disposing);
    }

    private T Ask<T>(Func<Stream, T> ask)
    {
        using var turn = Enter();
        return ask(inner);
    }

    private ColumnUse.Turn Enter()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return use.Enter();
    }
}
