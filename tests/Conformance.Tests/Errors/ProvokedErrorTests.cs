using System.Net;
using System.Net.Sockets;

namespace Doorbell.Tests;

/// <summary>Each failure is made by the system, and worded by <see cref="NetworkException.From(string, string, Exception)"/>.</summary>
public sealed class ProvokedErrorTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();
    private readonly List<Socket> _sockets = [];

    private Socket Tcp => Keep(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));

    private Socket Udp => Keep(new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));

    private Socket Unix => Keep(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified));

    public void Dispose()
    {
        _sockets.ForEach(static socket => socket.Dispose());
        _folder.Delete(recursive: true);
    }

    [Fact]
    public void Binding_twice_names_the_holder_of_the_port()
    {
        Socket first = Tcp;
        first.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        first.Listen();
        NetworkException failure = Provoke("bind", "tcp://127.0.0.1:6789", () => Tcp.Bind(first.LocalEndPoint!));
        AssertWorded(failure, SocketError.AddressAlreadyInUse, "EADDRINUSE", "Address already in use", "ss -lntup");
    }

    [Fact]
    public void Binding_a_path_twice_gives_advice_for_a_path()
    {
        Unix.Bind(At("door"));
        NetworkException failure = Provoke("bind", "unix:///run/door", () => Unix.Bind(At("door")));
        AssertWorded(failure, SocketError.AddressAlreadyInUse, "EADDRINUSE", "Address already in use", "choose another path");
        Assert.DoesNotContain("port 0", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_refused_port_and_a_refused_path_have_different_remedies()
    {
        AssertWorded(
            Provoke("connect", "tcp://127.0.0.1:1", () => Tcp.Connect(new IPEndPoint(IPAddress.Loopback, 1))),
            SocketError.ConnectionRefused, "ECONNREFUSED", "Connection refused", "look at the host and port");

        Unix.Bind(At("not listening"));
        AssertWorded(
            Provoke("connect", "unix:///run/door", () => Unix.Connect(At("not listening"))),
            SocketError.ConnectionRefused, "ECONNREFUSED", "Connection refused", "no server listens on this path");
    }

    [Fact]
    public void A_refused_datagram_is_named_at_the_next_call()
    {
        Socket holder = Udp;
        holder.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        EndPoint gone = holder.LocalEndPoint!;
        holder.Dispose();
        Socket socket = Udp;
        socket.Connect(gone);
        socket.ReceiveTimeout = 10_000;
        socket.Send([1]);
        AssertWorded(
            Provoke("receive", "udp://127.0.0.1:9", () => socket.Receive(new byte[1])),
            SocketError.ConnectionRefused, "ECONNREFUSED", "Connection refused", "ICMP port unreachable");
    }

    [Fact]
    public void A_path_that_is_missing_is_enoent_whatever_socket_calls_it()
    {
        AssertWorded(
            Provoke("connect", "unix:///run/door", () => Unix.Connect(At("missing"))),
            SocketError.AddressNotAvailable, "ENOENT", "No such file or directory", "no server has made this socket");
        AssertWorded(
            Provoke("bind", "unix:///run/door", () => Unix.Bind(At("missing/door"))),
            SocketError.AddressNotAvailable, "ENOENT", "No such file or directory", "folder is not there");
    }

    [Fact]
    public void A_path_that_is_no_socket_is_said_to_be_perhaps_that()
    {
        File.WriteAllText(At("file").ToString(), "text");
        AssertWorded(
            Provoke("connect", "unix:///run/door", () => Unix.Connect(At("file"))),
            SocketError.ConnectionRefused, "ECONNREFUSED", "Connection refused", "another kind of file");
    }

    [Fact]
    public void A_path_through_a_file_has_no_name_in_dotnet_and_gets_advice_all_the_same()
    {
        File.WriteAllText(At("file").ToString(), "text");
        NetworkException failure = Provoke("connect", "unix:///run/door", () => Unix.Connect(At("file/door")));
        Assert.Null(failure.ErrnoName);
        Assert.StartsWith(
            "connect unix:///run/door: an error that has no name here; look at the path", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_full_backlog_of_a_path_is_told()
    {
        Socket listener = Unix;
        listener.Bind(At("door"));
        listener.Listen(0);
        NetworkException failure = Provoke("connect", "unix:///run/door", () =>
        {
            for (int i = 0; i < 100; i++)
            {
                Socket caller = Unix;
                caller.Blocking = false;
                caller.Connect(At("door"));
            }
        });
        AssertWorded(failure, SocketError.WouldBlock, "EAGAIN", "Resource temporarily unavailable", "backlog is full");
    }

    [Fact]
    public void What_socket_adds_to_the_text_is_not_repeated_or_printed_raw()
    {
        Unix.Bind(At("a\u001b[2J\nb"));
        SocketException cause = Assert.Throws<SocketException>(() => Unix.Connect(At("a\u001b[2J\nb")));
        NetworkException failure = NetworkException.From("connect", "unix:///run/door", cause);
        Assert.StartsWith(
            "connect unix:///run/door: ECONNREFUSED (Connection refused); ", failure.Message, StringComparison.Ordinal);
        Assert.True(PrintableText.IsPrintable(failure.Message));
    }

    [Fact]
    public void An_address_of_another_machine_can_not_be_bound() => AssertWorded(
        Provoke("bind", "tcp://192.0.2.1:0", () => Tcp.Bind(new IPEndPoint(IPAddress.Parse("192.0.2.1"), 0))),
        SocketError.AddressNotAvailable, "EADDRNOTAVAIL", "Cannot assign requested address", "ip address");

    [Fact]
    public void A_datagram_that_no_packet_holds_is_too_long() => AssertWorded(
        Provoke("send", "udp://127.0.0.1:9", () => Udp.SendTo(new byte[66_000], new IPEndPoint(IPAddress.Loopback, 9))),
        SocketError.MessageSize, "EMSGSIZE", "Message too long", "65,507");

    [Fact]
    public void A_name_that_does_not_exist_is_named_as_the_resolver_names_it()
    {
        NetworkException failure = Provoke("resolve", "tcp://nonexistent.invalid:1", () => Dns.GetHostAddresses("nonexistent.invalid"));
        Assert.Contains(failure.ErrnoName, (string[])["EAI_NONAME", "EAI_AGAIN"]);
        Assert.NotNull(failure.Advice);
    }

    [Fact]
    public void A_link_local_address_without_its_interface_is_explained()
    {
        using Socket socket = new(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp);
        NetworkException failure = Provoke(
            "connect", "tcp://[fe80::1]:9", () => socket.Connect(new IPEndPoint(IPAddress.Parse("fe80::1"), 9)));
        AssertWorded(failure, SocketError.InvalidArgument, "EINVAL", "Invalid argument", "[fe80::1%eth0]");
    }

    [Fact]
    public void Sending_on_a_closed_connection_says_that_the_peer_ended_it()
    {
        NetworkException failure = Provoke("send", "tcp://127.0.0.1:9", () => Tcp.Send([1]));
        AssertWorded(failure, SocketError.Shutdown, "EPIPE", "Broken pipe", "the peer ended the connection");
    }

    private static NetworkException Provoke(string operation, string target, Action call) =>
        NetworkException.From(operation, target, (SocketException)Record.Exception(call)!);

    private static void AssertWorded(NetworkException failure, SocketError error, string name, string text, string advice)
    {
        Assert.Equal((error, name, text), (failure.Error, failure.ErrnoName, failure.ErrnoText));
        Assert.Contains(advice, failure.Advice, StringComparison.Ordinal);
        Assert.Equal($"{failure.Operation} {failure.Target}: {name} ({text}); {failure.Advice}", failure.Message);
    }

    private UnixDomainSocketEndPoint At(string name) => new(Path.Combine(_folder.FullName, name));

    private Socket Keep(Socket socket)
    {
        _sockets.Add(socket);
        return socket;
    }
}
