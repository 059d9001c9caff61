using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Doorbell.Lab.Demos;

/// <summary>The textbook's iterative server: accept one, serve it, close it, accept the next. Meanwhile the others wait.</summary>
internal sealed class TextbookServer : IDisposable
{
    /// <summary>How long it works for each client.</summary>
    public static readonly TimeSpan Work = TimeSpan.FromMilliseconds(200);

    /// <summary>For a client of somebody else's, that says nothing.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(2);

    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public TextbookServer(int backlog)
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(backlog);
        Address = (IPEndPoint)_listener.LocalEndPoint!;
        new Thread(Serve) { IsBackground = true }.Start();
    }

    public IPEndPoint Address { get; }

    /// <summary>By a client's port: when it was accepted, on the stopwatch's scale, and as which.</summary>
    public ConcurrentDictionary<int, (long At, int Number)> Accepted { get; } = new();

    public BacklogReading Backlog() => BacklogReading.Read(_listener, Endpoint.From(Transport.Tcp, Address));

    public void Dispose() => _listener.Dispose();

    private void Serve()
    {
        try
        {
            while (true)
            {
                using Socket client = _listener.Accept();
                Serve(client);
            }
        }
        catch (Exception ended) when (ended is SocketException or ObjectDisposedException)
        {
            // The demonstration is over: the listener is closed.
        }
    }

    private void Serve(Socket client)
    {
        byte[] line = new byte[64];
        using ManualResetEventSlim never = new();
        try
        {
            Accepted[((IPEndPoint)client.RemoteEndPoint!).Port] = (Stopwatch.GetTimestamp(), Accepted.Count + 1);
            client.ReceiveTimeout = (int)_patience.TotalMilliseconds;
            int count = client.Receive(line);
            never.Wait(Work);
            client.Send(line.AsSpan(0, count));
        }
        catch (SocketException)
        {
            // This client is gone, which is its own affair: the next one waits.
        }
    }
}
