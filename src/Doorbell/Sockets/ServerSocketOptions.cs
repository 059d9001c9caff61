using System.Net.Sockets;
using Doorbell.SocketOptions;

namespace Doorbell.Sockets;

/// <summary>Sets the options asked for on one socket of a server, each at its time.</summary>
internal sealed class ServerSocketOptions
{
    private readonly Socket _socket;
    private readonly string _target;
    private readonly SocketKinds _kinds;
    private readonly SocketOptionSetting[] _fitting;
    private readonly List<SocketOptionOutcome> _outcomes = [];

    /// <param name="socket">New, neither bound nor listening.</param>
    /// <param name="options">All that were asked for; those that have no effect on this kind of socket are left out.</param>
    /// <param name="target">Its endpoint, for errors.</param>
    public ServerSocketOptions(Socket socket, IReadOnlyList<SocketOptionSetting> options, string target)
    {
        _socket = socket;
        _target = target;
        _kinds = SocketKindsOf.Socket(socket);
        _fitting = [.. options.Where(setting => setting.Option.IsForServers && (setting.Option.Kinds & _kinds) != 0)];
    }

    /// <summary>
    /// What may be set at any time is set first of all: a buffer's size decides the window that the first packets announce, and a
    /// listener's connections inherit it (tcp(7)).
    /// </summary>
    /// <exception cref="NetworkException">The kernel refuses one.</exception>
    public void BeforeBind() => Apply(SocketOptionTime.Anytime, SocketOptionTime.BeforeBind);

    /// <exception cref="NetworkException">The kernel refuses one.</exception>
    public void BeforeListen() => Apply(SocketOptionTime.Listening);

    /// <summary>For a socket that another made: what may still be set. What is to be set before bind(2) is its maker's.</summary>
    /// <exception cref="NetworkException">The kernel refuses one.</exception>
    public void OnceBound() => Apply(SocketOptionTime.Anytime, SocketOptionTime.Listening);

    /// <summary>
    /// The socket with what was made of its options, read when all calls are done, and those that are left for its connections. The lanes
    /// change no option that was asked for.
    /// </summary>
    public DoorSocket Bound(Door door) => new(_socket, door)
    {
        Options = _outcomes.ConvertAll(outcome => outcome.ReadAgain(_socket)),
        AcceptedOptions = _socket.SocketType == SocketType.Stream ? [.. _fitting.Where(IsForConnections)] : [],
    };

    /// <summary>Refuses a setting that no socket of the server took.</summary>
    /// <exception cref="ArgumentException">It has no effect on any of them.</exception>
    public static void RequireUse(IReadOnlyList<SocketOptionSetting> options, IReadOnlyList<DoorSocket> sockets)
    {
        foreach (SocketOptionSetting setting in options)
        {
            bool used = sockets.Any(bound => bound.AcceptedOptions.Contains(setting)
                || bound.Options.Any(outcome => outcome.Setting == setting));
            if (!used)
            {
                throw new ArgumentException(setting.Option.IsForServers
                    ? $"{setting.Option} has no effect on {string.Join(", ", sockets.Select(static bound => bound.Door.Endpoint))}: "
                        + $"it is for {SocketKindsOf.Words(setting.Option.Kinds)}"
                    : $"{setting.Option} is for the side that connects, not for a server");
            }
        }
    }

    /// <summary>On Linux a TCP connection has nearly all its listener's options, a unix one nearly none; elsewhere nobody says.</summary>
    private bool IsForConnections(SocketOptionSetting setting) => setting.Option.When switch
    {
        SocketOptionTime.Connected => true,
        SocketOptionTime.Anytime => !OperatingSystem.IsLinux() || (setting.Option.Inherited & _kinds) == 0,
        _ => false,
    };

    private void Apply(params ReadOnlySpan<SocketOptionTime> times)
    {
        foreach (SocketOptionSetting setting in _fitting)
        {
            if (times.Contains(setting.Option.When))
            {
                _outcomes.Add(setting.Apply(_socket, _target));
            }
        }
    }
}
