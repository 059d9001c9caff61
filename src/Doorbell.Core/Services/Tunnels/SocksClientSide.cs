using System.Buffers.Binary;

namespace Doorbell;

/// <summary>The server's side of SOCKS 5 (RFC 1928), of its user names and passwords (RFC 1929), and of SOCKS 4 and 4a.</summary>
internal sealed class SocksClientSide(TunnelOptions options) : TunnelClientSide(options)
{
    private const byte Version5 = 5;
    private const byte Version4 = 4;

    /// <summary>The longest user id that SOCKS 4 is given, and the longest name; it has no bound of its own.</summary>
    private const int MostText = 255;

    private Phase _phase;

    private enum Phase
    {
        Methods,
        Password,
        Request,
        Request4,
    }

    /// <summary>RFC 1928 section 6.</summary>
    private enum Reply : byte
    {
        Succeeded = 0,
        GeneralFailure = 1,
        NotAllowed = 2,
        NetworkUnreachable = 3,
        HostUnreachable = 4,
        ConnectionRefused = 5,
        CommandNotSupported = 7,
        AddressTypeNotSupported = 8,
    }

    protected override Step ReadRequest(ReadOnlySpan<byte> input, Turn turn)
    {
        if (_phase == Phase.Methods && input is [Version4, ..] && Options.Users is null)
        {
            _phase = Phase.Request4;
        }

        return _phase switch
        {
            Phase.Methods => ReadMethods(input, turn),
            Phase.Password => ReadPassword(input, turn),
            Phase.Request => ReadRequest5(input, turn),
            _ => ReadRequest4(input, turn),
        };
    }

    protected override void WriteConnected(PeerAddress local, OutputBuffer output)
    {
        if (_phase == Phase.Request4)
        {
            WriteReply4(granted: true, output);
        }
        else
        {
            WriteReply(Reply.Succeeded, local, output);
        }
    }

    protected override void WriteFailed(ConnectFailure failure, OutputBuffer output)
    {
        if (_phase == Phase.Request4)
        {
            WriteReply4(granted: false, output);
            return;
        }

        Reply reply = failure.Error switch
        {
            "EACCES" => Reply.NotAllowed,
            "ENETUNREACH" => Reply.NetworkUnreachable,
            "ECONNREFUSED" => Reply.ConnectionRefused,
            "EHOSTUNREACH" or "ETIMEDOUT" => Reply.HostUnreachable,
            _ when failure.Error.StartsWith("EAI_", StringComparison.Ordinal) => Reply.HostUnreachable,
            _ => Reply.GeneralFailure,
        };
        WriteReply(reply, default, output);
    }

    private static void WriteReply(Reply reply, PeerAddress local, OutputBuffer output)
    {
        bool isIPv6 = local.Kind == AddressKind.IPv6;
        Span<byte> message = stackalloc byte[isIPv6 ? 22 : 10];
        message.Clear();
        (message[0], message[1], message[3]) = (Version5, (byte)reply, isIPv6 ? (byte)4 : (byte)1);
        if (isIPv6)
        {
            BinaryPrimitives.WriteUInt128BigEndian(message[4..], local.Bits);
        }
        else
        {
            BinaryPrimitives.WriteUInt32BigEndian(message[4..], local.Kind == AddressKind.IPv4 ? (uint)local.Bits : 0);
        }

        BinaryPrimitives.WriteUInt16BigEndian(message[^2..], local.Port);
        output.Write(message);
    }

    /// <summary>SOCKS 4's answer: 90 for granted, 91 for rejected or failed; its address says nothing to a CONNECT.</summary>
    private static void WriteReply4(bool granted, OutputBuffer output) =>
        output.Write([0, granted ? (byte)90 : (byte)91, 0, 0, 0, 0, 0, 0]);

    /// <summary>RFC 1928 section 3: version, number of methods, methods.</summary>
    private Step ReadMethods(ReadOnlySpan<byte> input, Turn turn)
    {
        if (input[0] != Version5)
        {
            return Step.Abort();
        }

        if (input.Length < 2 || input.Length < 2 + input[1])
        {
            return Step.More(0);
        }

        byte method = Options.Users is null ? (byte)0 : (byte)2;
        int length = 2 + input[1];
        bool offered = input[2..length].Contains(method);
        turn.Output.Write([Version5, offered ? method : (byte)0xff]);
        _phase = method == 0 ? Phase.Request : Phase.Password;
        return offered ? Step.More(length) : Step.Close(length);
    }

    /// <summary>RFC 1929 section 2: version 1, the name and the password, each behind its length.</summary>
    private Step ReadPassword(ReadOnlySpan<byte> input, Turn turn)
    {
        if (input[0] != 1)
        {
            return Step.Abort();
        }

        if (input.Length < 2 || input.Length < 3 + input[1] || input.Length < 3 + input[1] + input[2 + input[1]])
        {
            return Step.More(0);
        }

        int nameEnd = 2 + input[1];
        int end = nameEnd + 1 + input[nameEnd];
        bool known = Options.Knows(input[2..nameEnd], input[(nameEnd + 1)..end]);
        turn.Output.Write([1, known ? (byte)0 : (byte)1]);
        _phase = Phase.Request;
        return known ? Step.More(end) : Step.Close(end);
    }

    /// <summary>RFC 1928 section 4: version, command, reserved, type of the address, address, port.</summary>
    private Step ReadRequest5(ReadOnlySpan<byte> input, Turn turn)
    {
        if (input[0] != Version5)
        {
            return Step.Abort();
        }

        if (input.Length < 5)
        {
            return Step.More(0);
        }

        int start = input[3] == 3 ? 5 : 4;
        int length = input[3] switch { 1 => 4, 3 => input[4], 4 => 16, _ => -1 };
        if (length < 0)
        {
            return Refuse(input.Length, Reply.AddressTypeNotSupported, turn);
        }

        int end = start + length + 2;
        if (input.Length < end)
        {
            return Step.More(0);
        }

        if (input[1] != 1)
        {
            return Refuse(end, Reply.CommandNotSupported, turn);
        }

        ReadOnlySpan<byte> address = input.Slice(start, length);
        ReadOnlySpan<byte> port = input[(end - 2)..end];
        Endpoint? target;
        bool isTarget = input[3] == 3
            ? TunnelTarget.TryRead(address, BinaryPrimitives.ReadUInt16BigEndian(port), out target)
            : TunnelTarget.TryRead(address, port, out target);
        return isTarget ? Connect(end, target!, turn) : Refuse(end, Reply.GeneralFailure, turn);
    }

    private static Step Refuse(int consumed, Reply reply, Turn turn)
    {
        WriteReply(reply, default, turn.Output);
        return Step.Close(consumed);
    }

    /// <summary>
    /// SOCKS 4: version, command, port, address, user id, NUL. In 4a the address 0.0.0.x, with x not 0, says that a name and a NUL follow.
    /// </summary>
    private Step ReadRequest4(ReadOnlySpan<byte> input, Turn turn)
    {
        int userEnd = input.Length < 9 ? -1 : input[8..].IndexOf((byte)0);
        if (userEnd < 0)
        {
            return input.Length > 8 + MostText ? Step.Abort() : Step.More(0);
        }

        int end = 8 + userEnd + 1;
        ReadOnlySpan<byte> name = [];
        bool isNamed = input is [_, _, _, _, 0, 0, 0, not 0, ..];
        if (isNamed)
        {
            int nameEnd = input[end..].IndexOf((byte)0);
            if (nameEnd < 0)
            {
                return input.Length > end + MostText ? Step.Abort() : Step.More(0);
            }

            name = input.Slice(end, nameEnd);
            end += nameEnd + 1;
        }

        Endpoint? target = null;
        bool isTarget = input[1] == 1 && (isNamed
            ? TunnelTarget.TryRead(name, BinaryPrimitives.ReadUInt16BigEndian(input[2..]), out target)
            : TunnelTarget.TryRead(input[4..8], input[2..4], out target));
        if (isTarget)
        {
            return Connect(end, target!, turn);
        }

        WriteReply4(granted: false, turn.Output);
        return Step.Close(end);
    }
}
