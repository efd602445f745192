namespace EfPooling.AdoNet;

/// <summary>The text of a column. Once its <see cref="ColumnUse"/> has ended, it never touches Npgsql's own text reader again.</summary>
internal sealed class ColumnText(TextReader inner, ColumnUse use) : TextReader
{
    private bool _isDisposed; // used by the reading flow

    public override int Peek() => Run(static inner => inner.Peek());

    public override int Read() => Run(static inner => inner.Read());

    public override string? ReadLine() => Run(static inner => inner.ReadLine());

    public override string ReadToEnd() => Run(static inner => inner.ReadToEnd());

    public override int Read(char[] buffer, int index, int count)
    {
        Check(buffer, index, count);
        return Read(buffer.AsSpan(index, count));
    }

    public override int Read(Span<char> buffer)
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

    public override int ReadBlock(char[] buffer, int index, int count)
    {
        Check(buffer, index, count);
        return ReadBlock(buffer.AsSpan(index, count));
    }

    public override int ReadBlock(Span<char> buffer)
    {
        using var turn = Enter();
        try
        {
            return inner.ReadBlock(buffer);
        }
        catch (Exception e)
        {
            use.Observe(e);
            throw;
        }
    }

    public override Task<int> ReadAsync(char[] buffer, int index, int count)
    {
        Check(buffer, index, count);
        return ReadAsync(buffer.AsMemory(index, count)).AsTask();
    }

    public override ValueTask<int> ReadAsync(Memory<char> buffer, CancellationToken cancellationToken = default)
        => RunAsync(static (inner, buffer, token) => inner.ReadAsync(buffer, token), buffer, cancellationToken);

    public override Task<int> ReadBlockAsync(char[] buffer, int index, int count)
    {
        Check(buffer, index, count);
        return ReadBlockAsync(buffer.AsMemory(index, count)).AsTask();
    }

    public override ValueTask<int> ReadBlockAsync(Memory<char> buffer, CancellationToken cancellationToken = default)
        => RunAsync(static (inner, buffer, token) => inner.ReadBlockAsync(buffer, token), buffer, cancellationToken);

    public override Task<string?> ReadLineAsync() => ReadLineAsync(CancellationToken.None).AsTask();

    public override ValueTask<string?> ReadLineAsync(CancellationToken cancellationToken)
        => RunAsync(static (inner, _, token) => inner.ReadLineAsync(token), 0, cancellationToken);

    public override Task<string> ReadToEndAsync() => ReadToEndAsync(CancellationToken.None);

    public override Task<string> ReadToEndAsync(CancellationToken cancellationToken)
        => RunAsync(static (inner, _, token) => new ValueTask<string>(inner.ReadToEndAsync(token)), 0, cancellationToken).AsTask();

    public override void Close() => Dispose();

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

    private T Run<T>(Func<TextReader, T> run)
    {
        using var turn = Enter();
        try
        {
            return run(inner);
        }
        catch (Exception e)
        {
            use.Observe(e);
            throw;
        }
    }

    private async ValueTask<T> RunAsync<TState, T>(Func<TextReader, TState, CancellationToken, ValueTask<T>> run, TState state, CancellationToken cancellationToken)
    {
        using var turn = Enter();
        try
        {
            return await run(inner, state, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            use.Observe(e);
            throw;
        }
    }

    private ColumnUse.Turn Enter()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return use.Enter();
    }

    private static void Check(char[] buffer, int index, int count)
    {
        ArgumentNullException.ThrowIfNull(buffer);
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, buffer.Length - index);
    }
}
