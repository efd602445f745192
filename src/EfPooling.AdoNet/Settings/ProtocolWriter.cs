using System.Buffers.Binary;
using System.Text;

namespace EfPooling.AdoNet;

/// <summary>Writes messages of PostgreSQL's protocol ("Message Formats" in the PostgreSQL manual), with text in UTF-8.</summary>
internal sealed class ProtocolWriter
{
    private byte[] _bytes = new byte[256];
    private int _length;
    private int _start; // where the current message's length stands

    public ProtocolWriter Begin(char type)
    {
        Space(1)[0] = (byte)type;
        _start = _length;
        return Int32(0);
    }

    public void End() => BinaryPrimitives.WriteInt32BigEndian(_bytes.AsSpan(_start), _length - _start);

    public ProtocolWriter Int16(int value)
    {
        BinaryPrimitives.WriteInt16BigEndian(Space(sizeof(short)), checked((short)value));
        return this;
    }

    public ProtocolWriter Int32(int value)
    {
        BinaryPrimitives.WriteInt32BigEndian(Space(sizeof(int)), value);
        return this;
    }

    /// <summary>Text, terminated by a zero.</summary>
    public ProtocolWriter Text(string value)
    {
        Encoding.UTF8.GetBytes(value, Space(Encoding.UTF8.GetByteCount(value)));
        Space(1)[0] = 0;
        return this;
    }

    /// <summary>A parameter: its length, -1 for NULL, and its text.</summary>
    public ProtocolWriter Value(string? value)
    {
        if (value is null)
        {
            return Int32(-1);
        }

        var count = Encoding.UTF8.GetByteCount(value);
        Int32(count);
        Encoding.UTF8.GetBytes(value, Space(count));
        return this;
    }

    public byte[] ToArray() => _bytes[.._length];

    private Span<byte> Space(int count)
    {
        if (_length + count > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(2 * _bytes.Length, _length + count));
        }

        _length += count;
        return _bytes.AsSpan(_length - count, count);
    }
}
