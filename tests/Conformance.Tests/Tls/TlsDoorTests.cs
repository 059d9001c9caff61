using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using Doorbell.Sessions;
using Doorbell.Tls;

namespace Doorbell.Tests;

/// <summary>A door that speaks TLS, on real sockets under every model, to clients that know nothing of Doorbell.</summary>
public sealed class TlsDoorTests
{
    private const string Header = "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n";

    public static TheoryData<string> Here => Models.Only(Models.Here);

    public static TheoryData<string> InProcesses => Models.Only(["process", "prefork"]);

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_client_of_tls_is_answered_and_ends_in_order(string model)
    {
        await using Running running = await StartAsync(model);
        foreach (SslProtocols version in new[] { SslProtocols.Tls12, SslProtocols.Tls13 })
        {
            using Peer peer = running.Connect();
            await using SslStream client = await OpenAsync(peer, version);
            Assert.Equal(version, client.SslProtocol);
            Assert.Equal("HELLO\n", await AskAsync(client, "hello\n"));
            string large = new string('x', 200_000) + "\n";
            Assert.Equal(large.ToUpperInvariant(), await AskAsync(client, large));
            await client.ShutdownAsync();
            Assert.Equal(0, await client.ReadAsync(new byte[1]));
        }

        Peer.Eventually(() => running.Counts.Closed(CloseReason.Completed) == 2, "both have ended in order");
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task The_proxy_header_comes_before_tls_and_both_tell_the_handler(string model)
    {
        Service service = new("who") { NewStreamHandler = static _ => new NameHandler() };
        await using Running running = await StartAsync(model, service, proxy: true);
        using Peer peer = running.Connect();
        peer.Send(Header);
        await using SslStream client = await OpenAsync(peer, SslProtocols.Tls13);
        Assert.Equal("192.0.2.1:56324 Tls13 localhost\n", await AskAsync(client, "who are you, at the end of this line?", 32));
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task Who_is_silent_or_speaks_no_tls_is_closed_and_logged(string model)
    {
        using LogRecords log = new();
        await using Running running = await StartAsync(model, change: options => options with
        {
            Logging = log, StreamLimits = new StreamLimitOverrides { OpeningTimeout = TimeSpan.FromMilliseconds(300) },
        });
        using (Peer silent = running.Connect())
        {
            Assert.Equal("", silent.ReceiveToEnd());
        }

        Peer.Eventually(() => running.Counts.Closed(CloseReason.OpeningTimeout) == 1, "it is counted");
        using (Peer plain = running.Connect())
        {
            plain.Send("GET / HTTP/1.1\r\n\r\n");
            plain.HalfClose();
            Assert.StartsWith("HTTP/1.1 400 ", plain.ReceiveToEnd(), StringComparison.Ordinal);
        }

        Peer.Eventually(() => running.Counts.Closed(CloseReason.LayerFailed) == 1, "it is counted");
        Peer.Eventually(
            () => log.Lines.Any(static line => line.Contains("does not speak TLS", StringComparison.Ordinal)), "the reason is logged");
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task An_end_without_close_notify_is_counted_as_a_truncation(string model)
    {
        await using Running running = await StartAsync(model);
        using Peer peer = running.Connect();
        SslStream client = await OpenAsync(peer, SslProtocols.Tls13);
        Assert.Equal("A\n", await AskAsync(client, "a\n"));
        peer.HalfClose();
        Peer.Eventually(() => running.Counts.Closed(CloseReason.Truncated) == 1, "it is counted");
    }

    [Theory]
    [MemberData(nameof(InProcesses))]
    public async Task A_process_speaks_tls_too(string model)
    {
        string file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        await File.WriteAllBytesAsync(file, TlsPair.Certificate.ToPfx());
        try
        {
            await using Running running = await StartAsync(model, workerArguments: ["--tls", "--tls-cert", file]);
            using Peer peer = running.Connect();
            await using SslStream client = await OpenAsync(peer, SslProtocols.Tls13);
            Assert.Equal("HELLO\n", await AskAsync(client, "hello\n"));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task A_relay_takes_tls_off_and_puts_it_on()
    {
        await using Running inner = await StartAsync("loop");
        TlsClient toInner = new(inner.Endpoint, Trust);
        Service on = Relay.To([inner.Endpoint], new RelayOptions { Layers = _ => [toInner.NewLayer] });
        await using Running plain = await Running.StartAsync(on);
        using (Peer peer = plain.Connect())
        {
            Assert.Equal("HELLO\n", peer.Ask("hello\n"));
            peer.HalfClose();
            Assert.Equal("", peer.ReceiveToEnd());
        }

        await using Running off = await StartAsync("loop", Relay.To(plain.Endpoint));
        using Peer outer = off.Connect();
        await using SslStream client = await OpenAsync(outer, SslProtocols.Tls13);
        Assert.Equal("HELLO\n", await AskAsync(client, "hello\n"));
        await client.ShutdownAsync();
        Assert.Equal(0, await client.ReadAsync(new byte[1]));
        Peer.Eventually(() => inner.Counts.Closed(CloseReason.Completed) == 2, "both have ended in order");
    }

    [Fact]
    public async Task A_relay_says_the_proxy_header_before_tls()
    {
        Service service = new("who") { NewStreamHandler = static _ => new NameHandler() };
        await using Running inner = await StartAsync("loop", service, proxy: true);
        TlsClient toInner = new(inner.Endpoint, Trust);
        Service on = Relay.To([inner.Endpoint], new RelayOptions { Layers = _ => [toInner.NewLayer], ProxyVersion = 2 });
        await using Running plain = await Running.StartAsync(on);
        using Peer peer = plain.Connect();
        peer.Send("x\n");
        int port = ((System.Net.IPEndPoint)peer.Socket.LocalEndPoint!).Port;
        Assert.StartsWith($"127.0.0.1:{port} Tls13", peer.Receive(22), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_socket_of_a_client_has_plain_bytes_and_knows_whether_it_was_cut_off()
    {
        await using Running running = await StartAsync("loop");
        ConnectOptions options = new() { Layers = [new TlsClient(running.Endpoint, Trust).NewLayer] };
        using (LayeredSocket socket = await Client.OpenSocketAsync(running.Endpoint, options, CancellationToken.None))
        {
            Assert.Equal(running.Endpoint.Port, socket.Peer.Port);
            byte[] much = new byte[300_000];
            Array.Fill(much, (byte)'x');
            Task sending = socket.SendAsync(much).ContinueWith(_ => socket.Shutdown(SocketShutdown.Send), TaskScheduler.Default);
            byte[] came = new byte[much.Length];
            for (int at = 0; at < came.Length;)
            {
                int count = await socket.ReceiveAsync(came.AsMemory(at));
                Assert.True(count > 0);
                at += count;
            }

            await sending;
            Assert.Equal(0, await socket.ReceiveAsync(came));
            Assert.Null(socket.Failure);
        }

        using LayeredSocket cut = await Client.OpenSocketAsync(running.Endpoint, options, CancellationToken.None);
        await running.Server.DrainAsync(TimeSpan.Zero);
        SocketException reset = await Assert.ThrowsAsync<SocketException>(() => cut.ReceiveAsync(new byte[1]));
        Assert.Equal(SocketError.ConnectionReset, reset.SocketErrorCode);
        Assert.Contains("cut off", cut.Failure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_not_trusted_or_speaks_no_tls_is_told_of_in_one_line()
    {
        await using Running running = await StartAsync("loop");
        NetworkException untrusted = await FailsAsync(running.Endpoint, TlsClientOptions.Default);
        Assert.Contains("is not trusted: its authority is unknown", untrusted.Message, StringComparison.Ordinal);
        await using Running plain = await Running.StartAsync(ClassicServices.Daytime);
        NetworkException noTls = await FailsAsync(plain.Endpoint, Trust);
        Assert.Contains("does not speak TLS: it begins with", noTls.Message, StringComparison.Ordinal);
        using TcpListener silent = new(System.Net.IPAddress.Loopback, 0);
        silent.Start();
        NetworkException late = await FailsAsync($"tcp://{silent.LocalEndpoint}", Trust, TimeSpan.FromMilliseconds(300));
        Assert.Equal(SocketError.TimedOut, late.Error);

        static Task<NetworkException> FailsAsync(Endpoint endpoint, TlsClientOptions trust, TimeSpan? timeout = null) =>
            Assert.ThrowsAsync<NetworkException>(() => Client.OpenSocketAsync(
                endpoint,
                new ConnectOptions
                {
                    Layers = [new TlsClient(endpoint, trust).NewLayer], Timeout = timeout ?? TimeSpan.FromSeconds(20),
                },
                CancellationToken.None));
    }

    private static TlsClientOptions Trust => new() { Pins = [TlsPair.Certificate.Fingerprint] };

    private static Task<Running> StartAsync(
        string model,
        Service? service = null,
        bool proxy = false,
        Func<ServerOptions, ServerOptions>? change = null,
        string[]? workerArguments = null)
    {
        service ??= ClassicServices.Capitalize;
        TlsServer tls = new(new TlsServerOptions { Certificates = [TlsPair.Certificate] });
        Func<ConnectionInfo, StreamLayer>[] layers = proxy
            ? [ProxyProtocol.Accept([AddressRange.Parse("127.0.0.0/8")]), tls.NewLayer]
            : [tls.NewLayer];
        return Running.StartAsync(
            service,
            model: model,
            change: options => (change?.Invoke(options) ?? options) with
            {
                Endpoints = [],
                Doors = [new DoorOptions { Endpoint = options.Endpoints[0].As(TlsScheme.Scheme), Service = service, Layers = layers }],
            },
            workerArguments: workerArguments ?? []);
    }

    private static async Task<SslStream> OpenAsync(Peer peer, SslProtocols version)
    {
        SslStream stream = new(new NetworkStream(peer.Socket));
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            EnabledSslProtocols = version,
            RemoteCertificateValidationCallback = static (_, shown, _, _) =>
                shown!.GetCertHashString(System.Security.Cryptography.HashAlgorithmName.SHA256)
                    .Equals(TlsPair.Certificate.Fingerprint, StringComparison.OrdinalIgnoreCase),
        });
        return stream;
    }

    private static async Task<string> AskAsync(SslStream stream, string question, int answer = 0)
    {
        byte[] came = new byte[answer > 0 ? answer : question.Length];
        Task writing = stream.WriteAsync(Encoding.ASCII.GetBytes(question)).AsTask();
        await stream.ReadExactlyAsync(came);
        await writing;
        return Encoding.ASCII.GetString(came);
    }

    /// <summary>Answers what comes with the peer's name and its TLS.</summary>
    private sealed class NameHandler : StreamHandler
    {
        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
        {
            TlsInfo info = turn.Connection.Get<TlsInfo>()!;
            turn.Output.Write(Encoding.ASCII.GetBytes($"{turn.Peer} {info.Version} {info.ServerName}\n"));
            return Step.More(input.Length);
        }
    }
}
