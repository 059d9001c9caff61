using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Doorbell.Tests;

/// <summary>A test's own client: a plain blocking socket, so that the test decides every call.</summary>
internal sealed class Peer : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    public Peer(Endpoint endpoint)
    {
        Socket = endpoint.IsUnix
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        Socket.ReceiveTimeout = Socket.SendTimeout = (int)_patience.TotalMilliseconds;
        Socket.Connect(endpoint.IsUnix ? new UnixDomainSocketEndPoint(endpoint.Path!) : new IPEndPoint(IPAddress.Parse(endpoint.Host!),
            endpoint.Port));
    }

    public Socket Socket { get; }

    public void Send(string text) => Send(Encoding.UTF8.GetBytes(text));

    public void Send(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[Socket.Send(bytes)..];
        }
    }

    public void HalfClose() => Socket.Shutdown(SocketShutdown.Send);

    public void Reset() => Socket.Close(0);

    /// <summary>Receives exactly so many bytes.</summary>
    public string Receive(int count)
    {
        byte[] bytes = new byte[count];
        for (int received = 0; received < count;)
        {
            int more = Socket.Receive(bytes.AsSpan(received));
            Assert.True(more > 0, $"the connection ended after {received} of {count} bytes");
            received += more;
        }

        return Encoding.UTF8.GetString(bytes);
    }

    /// <summary>Receives all up to the end.</summary>
    public string ReceiveToEnd()
    {
        using MemoryStream all = new();
        byte[] buffer = new byte[65536];
        int count;
        while ((count = Socket.Receive(buffer)) > 0)
        {
            all.Write(buffer, 0, count);
        }

        return Encoding.UTF8.GetString(all.ToArray());
    }

    public string Ask(string line)
    {
        Send(line);
        return Receive(Encoding.UTF8.GetByteCount(line));
    }

    public string Ask(string line, int answer)
    {
        Send(line);
        return Receive(answer);
    }

    public void Dispose() => Socket.Dispose();

    /// <summary>Waits until something comes true; fails after a long while. For what a peer can't be told of.</summary>
    public static void Eventually(Func<bool> condition, string what)
    {
        DateTime deadline = DateTime.UtcNow + _patience;
        while (!condition())
        {
            Assert.True(DateTime.UtcNow < deadline, $"not within {_patience.TotalSeconds} s: {what}");
            Thread.Yield();
        }
    }
}
