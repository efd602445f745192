using System.Buffers;
using System.Net.Sockets;

namespace EfPooling.Benchmarks.Load.Relay;

/// <summary>
/// One direction of a connection. What is received is handed to the delay line at once, so the sender is never held up; the line gives it
/// back in order when it is due.
/// </summary>
internal sealed class RelayDirection(Socket source, Socket target, DelayLine line)
{
    private const int BufferSize = 16 * 1024;

    private readonly Lock _gate = new();
    private readonly Queue<ReadOnlyMemory<byte>> _due = []; // guarded by _gate
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isSending; // guarded by _gate

    /// <summary>Receives until the source ends or breaks.</summary>
    /// <returns>Completes when the target knows of that.</returns>
    public async Task RunAsync()
    {
        var buffer = new byte[BufferSize];
        var received = 1;
        while (received > 0)
        {
            try
            {
                received = await source.ReceiveAsync(buffer);
            }
            catch (SocketException)
            {
                received = 0;
            }

            line.Add(this, Copy(buffer.AsSpan(0, received)));
        }

        await _ended.Task;
    }

    /// <summary>Sends what is due, after what was due before. Does not block: a target that does not read holds up its own connection only.</summary>
    /// <param name="bytes">None: the source has ended.</param>
    public void Send(ReadOnlyMemory<byte> bytes)
    {
        lock (_gate)
        {
            _due.Enqueue(bytes);
            if (_isSending)
            {
                return;
            }

            _isSending = true;
        }

        _ = SendAllAsync();
    }

    private async Task SendAllAsync()
    {
        while (TryTake(out var bytes))
        {
            try
            {
                if (bytes.IsEmpty)
                {
                    target.Shutdown(SocketShutdown.Send);
                    _ended.TrySetResult();
                }
                else
                {
                    await SendOneAsync(bytes);
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                _ended.TrySetResult();
            }
        }
    }

    private async ValueTask SendOneAsync(ReadOnlyMemory<byte> bytes)
    {
        for (var rest = bytes; !rest.IsEmpty;)
        {
            rest = rest[await target.SendAsync(rest)..];
        }

        Return(bytes);
    }

    private bool TryTake(out ReadOnlyMemory<byte> bytes)
    {
        lock (_gate)
        {
            _isSending = _due.TryDequeue(out bytes);
            return _isSending;
        }
    }

    private static ReadOnlyMemory<byte> Copy(ReadOnlySpan<byte> received)
    {
        if (received.IsEmpty)
        {
            return default;
        }

        var copy = ArrayPool<byte>.Shared.Rent(received.Length);
        received.CopyTo(copy);
        return copy.AsMemory(0, received.Length);
    }

    private static void Return(ReadOnlyMemory<byte> bytes)
    {
        if (System.Runtime.InteropServices.MemoryMarshal.TryGetArray(bytes, out var segment))
        {
            ArrayPool<byte>.Shared.Return(segment.Array!);
        }
    }
}
