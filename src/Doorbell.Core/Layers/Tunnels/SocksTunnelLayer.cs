using System.Buffers.Binary;
using System.Text;

namespace Doorbell.Sessions;

/// <summary>The client's side of SOCKS 5 (RFC 1928) and of its user names and passwords (RFC 1929).</summary>
internal sealed class SocksTunnelLayer(TunnelProxy proxy, Endpoint target) : TunnelLayer(proxy, target)
{
    private const byte Version5 = 5;
    private const byte NoLogin = 0;
    private const byte PasswordLogin = 2;
    private const byte NoneFits = 0xff;

    /// <summary>The longest answer has a name of 255 bytes as its address.</summary>
    private readonly byte[] _answer = new byte[7 + 255];

    private Phase _phase;
    private int _length;
    private int _needed = 2;

    private enum Phase
    {
        Method,
        Password,
        Reply,
    }

    public override LayerState Begin(OutputBuffer wire)
    {
        wire.Write(Proxy.User is null ? [Version5, 1, NoLogin] : [Version5, 2, NoLogin, PasswordLogin]);
        return LayerState.Opening;
    }

    public override Unwrapped Unwrap(ReadOnlySpan<byte> came, Span<byte> plain, OutputBuffer wire)
    {
        int taken = Math.Min(came.Length, _needed - _length);
        came[..taken].CopyTo(_answer.AsSpan(_length));
        _length += taken;
        if (_length < _needed)
        {
            return More(taken);
        }

        return _phase switch
        {
            Phase.Method => OnMethod(taken, wire),
            Phase.Password => OnPassword(taken, wire),
            _ => OnReply(taken),
        };
    }

    private Unwrapped OnMethod(int taken, OutputBuffer wire)
    {
        switch (_answer[0], _answer[1])
        {
            case (not Version5, _):
                return Fail(
                    taken, "does not speak SOCKS 5", "EPROTO", "look whether it is an HTTP proxy, http://, or at its port");
            case (_, NoLogin):
                return Ask(taken, wire);
            case (_, PasswordLogin) when Proxy.User is not null:
                WritePassword(wire);
                return Await(Phase.Password, taken);
            case (_, NoneFits) when Proxy.User is null:
                return Fail(taken, "asks for a user name and a password", "EACCES", "give them, as in socks5://user:password@host:port");
            default:
                return Fail(taken, "asks for another way to log in than by user name and password", "EACCES");
        }
    }

    private Unwrapped OnPassword(int taken, OutputBuffer wire) => _answer[1] == 0
        ? Ask(taken, wire)
        : Fail(taken, "refuses the user name or the password", "EACCES");

    private Unwrapped OnReply(int taken)
    {
        const int Head = 5;
        if (_length == 2)
        {
            _needed = Head;
            return _answer[0] == Version5 && _answer[1] == 0 ? More(taken) : Refused(taken, _answer[1]);
        }

        if (_length == Head)
        {
            _needed = _answer[3] switch { 1 => 10, 3 => 7 + _answer[4], 4 => 22, _ => 0 };
            return _needed > 0 ? More(taken) : Fail(taken, $"answers with an address of kind {_answer[3]}, which SOCKS 5 lacks", "EPROTO");
        }

        return Done(taken);
    }

    /// <summary>RFC 1928 section 6.</summary>
    private Unwrapped Refused(int taken, byte reply)
    {
        (string error, string why) = reply switch
        {
            2 => ("EACCES", "its rules do not allow it"),
            3 => ("ENETUNREACH", "the network is unreachable"),
            4 => ("EHOSTUNREACH", "the host is unreachable, or its name is not known"),
            5 => ("ECONNREFUSED", "the connection was refused"),
            6 => ("ETIMEDOUT", "the time to live expired"),
            7 => ("EOPNOTSUPP", "it makes no connections"),
            8 => ("EAFNOSUPPORT", "it does not take this kind of address"),
            _ => ("EIO", "a failure of its own"),
        };
        return Fail(taken, $"does not connect to {Target}: {why} (SOCKS reply {reply})", error);
    }

    /// <summary>RFC 1929 section 2.</summary>
    private void WritePassword(OutputBuffer wire)
    {
        byte[] user = Encoding.UTF8.GetBytes(Proxy.User!);
        byte[] password = Encoding.UTF8.GetBytes(Proxy.Password!);
        wire.Write([1, (byte)user.Length, .. user, (byte)password.Length, .. password]);
    }

    /// <summary>RFC 1928 section 4: CONNECT, with the name as it is, for the proxy to resolve.</summary>
    private Unwrapped Ask(int taken, OutputBuffer wire)
    {
        byte[] address = Target.Address?.GetAddressBytes() ?? [];
        byte[] name = Encoding.UTF8.GetBytes(Target.Host!);
        Span<byte> port = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(port, (ushort)Target.Port);
        wire.Write([Version5, 1, 0]);
        wire.Write(address.Length switch
        {
            4 => [1, .. address],
            16 => [4, .. address],
            _ => [3, (byte)name.Length, .. name],
        });
        wire.Write(port);
        return Await(Phase.Reply, taken);
    }

    private Unwrapped Await(Phase phase, int taken)
    {
        (_phase, _length, _needed) = (phase, 0, 2);
        return More(taken);
    }
}
