using System.Net;
using System.Net.Sockets;

namespace Doorbell.Tests;

/// <summary>A server that does what a test says, also what no server should.</summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private readonly Socket _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<Socket, int, Task> _serve;
    private readonly Task _accepting;
    private int _accepted;

    /// <param name="serve">Serves one connection, whose number is the second argument, from 1. It is closed when this returns.</param>
    /// <param name="port">0 for any.</param>
    public ScriptedServer(Func<Socket, int, Task> serve, int port = 0)
    {
        _serve = serve;
        _listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        _listener.Listen();
        Port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
        _accepting = AcceptAsync();
    }

    public int Port { get; }

    public Endpoint Endpoint => Endpoint.Parse($"tcp://127.0.0.1:{Port}");

    /// <summary>How many connections there have been.</summary>
    public int Accepted => Volatile.Read(ref _accepted);

    /// <summary>Receives up to and with the first of these bytes; null at the end.</summary>
    public static async Task<byte[]?> ReadLineAsync(Socket socket)
    {
        List<byte> line = [];
        byte[] one = new byte[1];
        while (await socket.ReceiveAsync(one) > 0)
        {
            line.Add(one[0]);
            if (one[0] == (byte)'\n')
            {
                return [.. line];
            }
        }

        return null;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        List<Task> serving = [];
        try
        {
            while (true)
            {
                Socket socket = await _listener.AcceptAsync(_stop.Token);
                socket.NoDelay = true;
                serving.Add(ServeAsync(socket, Interlocked.Increment(ref _accepted)));
            }
        }
        catch (Exception over) when (over is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }

        await Task.WhenAll(serving);
    }

    private async Task ServeAsync(Socket socket, int number)
    {
        using CancellationTokenRegistration stopped = _stop.Token.Register(socket.Dispose);
        using (socket)
        {
            try
            {
                await _serve(socket, number);
            }
            catch (Exception gone) when (gone is SocketException or ObjectDisposedException or OperationCanceledException)
            {
            }
        }
    }
}
