using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text;

namespace Doorbell;

/// <summary>Where a client wants to be connected to, as proxy protocols write it.</summary>
internal static class TunnelTarget
{
    /// <summary>
    /// Of names and of addresses without brackets. Others are no part of a host, and could mean something to an endpoint.
    /// </summary>
    private static readonly SearchValues<byte> _letters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:"u8);

    /// <summary>A host, as a name or an address in text, and a port.</summary>
    public static bool TryRead(ReadOnlySpan<byte> host, int port, [NotNullWhen(true)] out Endpoint? target)
    {
        target = null;
        if (host.IsEmpty || port is < 1 or > ushort.MaxValue || host.ContainsAnyExcept(_letters))
        {
            return false;
        }

        string text = Encoding.ASCII.GetString(host);
        string place = text.Contains(':', StringComparison.Ordinal) ? $"[{text}]" : text;
        return Endpoint.TryParse($"tcp://{place}:{port}", out target, out _);
    }

    /// <summary>An address in its 4 or 16 bytes, and 2 bytes of a port, all in network order.</summary>
    public static bool TryRead(ReadOnlySpan<byte> address, ReadOnlySpan<byte> port, [NotNullWhen(true)] out Endpoint? target)
    {
        int number = BinaryPrimitives.ReadUInt16BigEndian(port);
        target = number == 0 ? null : Endpoint.From(Transport.Tcp, new IPEndPoint(new IPAddress(address), number));
        return target is not null;
    }
}
