using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Doorbell.Tests;

/// <summary><c>doorbell impair</c> between a test's own TCP sockets: it knows both ends.</summary>
internal sealed class Impaired : IDisposable
{
    private const int Patience = 20_000;

    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly string _control = Path.Combine(Path.GetTempPath(), $"doorbell-impair-{Guid.NewGuid():N}");
    private readonly Endpoint _proxy;

    public Impaired(string kind, params string[] options)
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        string upstream = $"tcp://{_listener.LocalEndPoint}";
        Proxy = Doorbells.Start(
            kind, ["impair", "tcp://127.0.0.1:0", upstream, "--json", "--control", $"unix://{_control}", .. options]);
        using JsonDocument listening = JsonDocument.Parse(Proxy.WaitForLine("\"listening\""));
        _proxy = Endpoint.Parse(listening.RootElement.GetProperty("endpoint").GetString()!);
        (Client, Upstream) = Connect();
    }

    public Program Proxy { get; }

    public Socket Client { get; }

    /// <summary>Where the client's connection came out.</summary>
    public Socket Upstream { get; }

    /// <summary>One more connection through the proxy: the client's socket and the upstream's.</summary>
    public (Socket Client, Socket Upstream) Connect()
    {
        Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        client.Connect(IPAddress.Loopback, _proxy.Port);
        Assert.True(_listener.Poll(Patience * 1000, SelectMode.SelectRead), "the proxy did not connect");
        Socket upstream = _listener.Accept();
        upstream.NoDelay = true;
        client.ReceiveTimeout = upstream.ReceiveTimeout = client.SendTimeout = upstream.SendTimeout = Patience;
        return (client, upstream);
    }

    /// <summary>Says a line to the control socket; its answer.</summary>
    public string Say(string line) => Say(_control, line);

    public static string Say(string path, string line)
    {
        using Socket control = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = Patience };
        control.Connect(new UnixDomainSocketEndPoint(path));
        control.Send(Encoding.UTF8.GetBytes(line + "\n"));
        control.Shutdown(SocketShutdown.Send);
        return Encoding.UTF8.GetString(ReadToEnd(control)).TrimEnd('\n');
    }

    /// <summary>Ends the proxy as Ctrl-C does, or SIGTERM, and reads its summary.</summary>
    public JsonElement End(string signal = "TERM")
    {
        Proxy.Signal(signal);
        Ended ended = Proxy.WaitForEnd();
        Assert.Equal((0, ""), (ended.ExitCode, ended.Error));
        using JsonDocument summary = JsonDocument.Parse(ended.Output.TrimEnd().Split('\n')[^1]);
        return summary.RootElement.Clone();
    }

    public static byte[] ReadToEnd(Socket socket)
    {
        using MemoryStream all = new();
        byte[] buffer = new byte[64 * 1024];
        int count;
        while ((count = socket.Receive(buffer)) > 0)
        {
            all.Write(buffer, 0, count);
        }

        return all.ToArray();
    }

    public static byte[] Read(Socket socket, int bytes)
    {
        byte[] all = new byte[bytes];
        for (int count = 0; count < bytes;)
        {
            int more = socket.Receive(all.AsSpan(count), SocketFlags.None);
            Assert.True(more > 0, $"it ended after {count} of {bytes} bytes");
            count += more;
        }

        return all;
    }

    /// <summary>Whether bytes or an end come within a fifth of a second.</summary>
    public static bool Hears(Socket socket) => socket.Poll(TimeSpan.FromMilliseconds(200), SelectMode.SelectRead);

    public void Dispose()
    {
        Proxy.Dispose();
        Client.Dispose();
        Upstream.Dispose();
        _listener.Dispose();
    }
}
