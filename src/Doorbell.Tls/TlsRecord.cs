using System.Buffers.Binary;

namespace Doorbell.Tls;

/// <summary>The header of a record (RFC 8446 section 5.1, RFC 5246 section 6.2.1): a type, a version and a length.</summary>
internal static class TlsRecord
{
    /// <summary>Type, version and length.</summary>
    public const int HeaderBytes = 5;

    /// <summary>Most plain bytes of one record.</summary>
    public const int MaxPlainBytes = 16 * 1024;

    /// <summary>A whole record: TLS 1.2 lets its cipher add 2,048 bytes, TLS 1.3 256.</summary>
    public const int MaxBytes = HeaderBytes + MaxPlainBytes + 2048;

    private const byte FirstType = 20;
    private const byte LastType = 23;

    /// <summary>The type of an alert's records.</summary>
    public const byte AlertType = 21;

    /// <summary>The type of a handshake's records.</summary>
    public const byte HandshakeType = 22;

    /// <summary>How long the record is, its header included.</summary>
    /// <param name="came">From its first byte on.</param>
    /// <returns>0 if the header is not complete, -1 if it is no record's: a length is believed behind a type and a version alone.</returns>
    public static int Length(ReadOnlySpan<byte> came)
    {
        bool isRecord = (came.Length < 1 || came[0] is >= FirstType and <= LastType)
            && (came.Length < 2 || came[1] == 3)
            && (came.Length < 3 || came[2] <= 4);
        if (!isRecord)
        {
            return -1;
        }

        if (came.Length < HeaderBytes)
        {
            return 0;
        }

        int length = HeaderBytes + BinaryPrimitives.ReadUInt16BigEndian(came[3..]);
        return length <= MaxBytes ? length : -1;
    }
}
