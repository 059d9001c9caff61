using System.Net.Sockets;
using Doorbell.Native;

namespace Doorbell.SocketOptions;

/// <summary>Words the kernel's refusal of a setting.</summary>
internal static class SocketOptionRefusal
{
    private const int NotPermitted = 1;
    private const int NoSuchEntry = 2;
    private const int AccessDenied = 13;
    private const int InvalidArgument = 22;
    private const int NoSuchDevice = 19;

    public static NetworkException Of(SocketOptionSetting setting, int errno, string target)
    {
        SocketOption option = setting.Option;
        string? advice = errno switch
        {
            NotPermitted or AccessDenied => option.Privilege ?? "it takes root or CAP_NET_ADMIN",
            InvalidArgument => $"it takes {option.Range}{(option.Unit.Length == 0 ? "" : " " + option.Unit)}, "
                + $"and may be set {Words(option.When)}: see {option.Reference}",
            NoSuchEntry when option.Kind == SocketOptionKind.Text => $"it takes {option.Range}",
            NoSuchDevice => "there is no such interface: `ip link` lists them",
            SocketOptionAccess.UnknownOption or SocketOptionAccess.NotSupported =>
                "this system does not know it for this kind of socket: SocketOptionCatalogue.Read lists what it knows",
            _ => null,
        };
        return NetworkException.OfOption(target, $"{setting}", Errno.OfLinux(errno), ErrorOf(errno), advice);
    }

    /// <summary>When an option may be set, as a table says it.</summary>
    public static string Words(SocketOptionTime when) => when switch
    {
        SocketOptionTime.BeforeBind => "before bind",
        SocketOptionTime.Listening => "on a listener",
        SocketOptionTime.BeforeConnect => "before connect",
        SocketOptionTime.Connected => "once connected",
        _ => "any time",
    };

    private static SocketError ErrorOf(int errno) => errno switch
    {
        NotPermitted or AccessDenied => SocketError.AccessDenied,
        InvalidArgument => SocketError.InvalidArgument,
        SocketOptionAccess.UnknownOption => SocketError.ProtocolOption,
        SocketOptionAccess.NotSupported => SocketError.OperationNotSupported,
        _ => SocketError.SocketError,
    };
}
