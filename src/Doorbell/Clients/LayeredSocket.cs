using System.Net;
using System.Net.Sockets;

namespace Doorbell;

/// <summary>
/// A connection with layers, such as TLS, as a socket of plain bytes: one end of a pair on this machine, whose other end is carried on; see
/// <c>Client.OpenSocketAsync</c>. It half-closes when the peer has ended in order, and is reset when it was cut off.
/// </summary>
public sealed class LayeredSocket : Socket
{
    private static readonly TimeSpan _maxEnd = TimeSpan.FromSeconds(2);

    private volatile string? _failure;

    internal LayeredSocket()
        : base(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
    {
    }

    /// <summary>Who is at the other end, as the layers say.</summary>
    public PeerAddress Peer { get; internal set; }

    /// <summary>Why the connection was cut off; null if it was not.</summary>
    public string? Failure
    {
        get => _failure;
        internal set => _failure = value;
    }

    /// <summary>Ends when the connection has. Does not fail.</summary>
    internal Task Completion { get; set; } = Task.CompletedTask;

    /// <summary>Waits until what was sent has gone, and the layers have said their end to the peer: two seconds at most.</summary>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
        {
            _ = Completion.Wait(_maxEnd);
        }
    }

    /// <summary>Two sockets that are connected to each other, and to nobody else.</summary>
    internal static async Task<(LayeredSocket Ours, Socket Other)> PairAsync(CancellationToken cancellation)
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        LayeredSocket ours = new() { NoDelay = true };
        try
        {
            await ours.ConnectAsync(listener.LocalEndPoint!, cancellation).ConfigureAwait(false);
            while (true)
            {
                Socket other = await listener.AcceptAsync(cancellation).ConfigureAwait(false);
                if (other.RemoteEndPoint!.Equals(ours.LocalEndPoint))
                {
                    other.NoDelay = true;
                    return (ours, other);
                }

                // Another program of this machine was faster.
                other.Dispose();
            }
        }
        catch
        {
            ours.Dispose();
            throw;
        }
    }
}
