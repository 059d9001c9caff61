using Doorbell.Cli.Ends;

namespace Doorbell.Cli.Verbs;

/// <summary>Refuses the sides of a relay that can't be joined.</summary>
internal static class RelayWords
{
    /// <param name="from">LISTEN.</param>
    /// <param name="to">Each UPSTREAM.</param>
    /// <param name="connected">What is connected: the first proxy, or each server.</param>
    /// <exception cref="ArgumentException">They can't be joined; the message says why, and what can be.</exception>
    public static void Require(EndTarget from, EndTarget[] to, Endpoint[] connected)
    {
        if (Array.Find([from, .. to], static end => end is SocketTarget { Endpoint.IsPassed: true }) is { } passed)
        {
            throw new ArgumentException($"relay opens its ends itself, and {passed.Name} is a socket that was passed");
        }

        if (to.Length > 1 && Array.Find(to, static end => end is not SocketTarget) is { } other)
        {
            throw new ArgumentException(
                $"of several UPSTREAMs the first that can be connected is taken: each is tcp:// or unix://, and {other.Name} is not");
        }

        if (Array.Find(to, IsNowhere) is { } nowhere)
        {
            throw new ArgumentException($"UPSTREAM {nowhere.Name} is a place to listen, not one to connect to: name a host and a port");
        }

        if (from is not SocketTarget && to[0] is SocketTarget { Endpoint.Application: not null, Name: var secured })
        {
            throw new ArgumentException(
                $"UPSTREAM {secured} is for a LISTEN of tcp://, tls:// or unix://, and LISTEN is \"{from.Name}\": put a relay between, "
                    + $"as in doorbell relay unix:door {secured}");
        }

        if (from is DatagramTarget && to[0] is DatagramTarget)
        {
            throw new ArgumentException(
                $"relay joins streams, or a stream and datagrams, and {from.Name} and {to[0].Name} both carry datagrams: "
                    + "doorbell impair carries them on");
        }

        if (to[0] is StandardStreamsTarget && from is StandardStreamsTarget or DatagramTarget or VsockTarget)
        {
            throw new ArgumentException(
                $"UPSTREAM stdio: is for the one connection of a tcp:// or unix:// endpoint, and LISTEN is {from.Name}");
        }

        if (from is SocketTarget { Endpoint: var door } && connected.Contains(door))
        {
            throw new ArgumentException($"UPSTREAM is LISTEN itself, {door}: name the server that clients mean");
        }
    }

    /// <exception cref="ArgumentException">There are datagrams and no framing, or a framing and no datagrams.</exception>
    public static void RequireFraming(EndTarget from, EndTarget[] to, Framing? framing)
    {
        EndTarget? datagrams = Array.Find([from, .. to], static end => end is DatagramTarget);
        if (datagrams is not null && framing is null)
        {
            throw new ArgumentException(
                $"relay joins a stream and {datagrams.Name}, which carries datagrams: say where one ends in the stream, "
                    + "as in --framing lines or --framing length:2");
        }

        if (datagrams is null && framing is not null)
        {
            throw new ArgumentException("--framing is for a stream and datagrams, and no end of this relay carries datagrams");
        }
    }

    private static bool IsNowhere(EndTarget upstream) => upstream switch
    {
        SocketTarget { Endpoint: { IsUnix: false } place } => place.Host == "*" || place.Port == 0,
        DatagramTarget { Endpoint: { IsUnix: false } place } => place.Host == "*" || place.Port == 0,
        VsockTarget { IsConnectable: false } => true,
        _ => false,
    };
}
