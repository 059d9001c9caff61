using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Doorbell.Tests;

/// <summary>Processes of <c>doorbell serve</c> under what a system does to them: few descriptors, socket activation, being PID 1.</summary>
public sealed class ProcessServeTests
{
    /// <summary>Passes a listening socket, as systemd does (sd_listen_fds(3)), to the program that it becomes.</summary>
    private const string Activate = "import socket,os,sys\n"
        + "s=socket.socket(); s.bind(('127.0.0.1',0)); s.listen(9); os.dup2(s.fileno(),3); os.set_inheritable(3,True)\n"
        + "os.environ.update(LISTEN_FDS='1',LISTEN_PID=str(os.getpid())); os.execv(sys.argv[1],sys.argv[1:])";

    [Fact]
    public void Out_of_descriptors_a_datagrams_program_costs_the_server_none_of_its_own()
    {
        using Program server = Program.Start(
            "/usr/bin/prlimit", "--nofile=40", Doorbells.File("native"), "serve", "udp://127.0.0.1:0", "--shell", "sleep 0.3; cat");
        Endpoint endpoint = EndpointOf(server.WaitForLine("serving "));
        string input = Path.Combine("/proc", $"{server.Id}", "fd", "0");
        string? before = File.ResolveLinkTarget(input, returnFinalTarget: false)?.Name;
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 10_000 };
        socket.Connect(IPAddress.Loopback, endpoint.Port);
        for (int i = 0; i < 60; i++)
        {
            socket.Send(Encoding.ASCII.GetBytes($"{i}\n"));
        }

        Assert.True(socket.Receive(new byte[100]) > 0);
        Assert.Equal(before, File.ResolveLinkTarget(input, returnFinalTarget: false)?.Name);
        server.Signal("TERM");
        Assert.Contains("EMFILE", server.WaitForEnd().Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("process")]
    [InlineData("prefork")]
    public void Processes_serve_the_sockets_of_socket_activation_without_an_endpoint(string model)
    {
        using Program server = Program.Start("python3", "-c", Activate, Doorbells.File("native"), "serve", "--model", model);
        Endpoint endpoint = EndpointOf(server.WaitForLine("serving "));
        Assert.Equal(new Ended(0, "FROM SERVER: HELLO\n", ""), Doorbells.Run("native", "", "ask", endpoint.ToString(), "hello"));
        server.Signal("TERM");
        Assert.Equal(0, server.WaitForEnd().ExitCode);
    }

    [Theory]
    [InlineData("loop")]
    [InlineData("async")]
    [InlineData("prefork")]
    public void A_socket_of_socket_activation_that_is_named_expects_the_proxys_header(string model)
    {
        using Program server = Program.Start(
            "python3", "-c", Activate, Doorbells.File("native"), "serve", "fd://3", "--model", model, "--accept-proxy", "127.0.0.1");
        Endpoint endpoint = EndpointOf(server.WaitForLine("serving "));
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 30_000 };
        client.Connect(IPAddress.Loopback, endpoint.Port);
        using NetworkStream stream = new(client);
        client.Send("PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\nhello\n"u8);
        client.Shutdown(SocketShutdown.Send);
        using StreamReader reader = new(stream);
        Assert.Equal("HELLO\n", reader.ReadToEnd());
    }

    /// <summary>The sockets may be of any kind, and only those for streams have a header: who runs the server says which.</summary>
    [Fact]
    public void With_socket_activation_alone_a_proxys_header_is_wrong_usage_and_the_error_says_how_to_name_the_socket()
    {
        Ended ended = Program.Run("python3", ["-c", Activate, Doorbells.File("native"), "serve", "--accept-proxy", "127.0.0.1"]);
        Assert.Equal(2, ended.ExitCode);
        Assert.Contains("a socket that was passed is fd://3", ended.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_first_process_of_a_container_reaps_what_programs_leave_behind()
    {
        // Orphans become children of the container's first process, which is the server.
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        using Program container = Program.Start(
            "unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", Doorbells.File("native"), "serve",
            $"unix://{path}", "--shell", "sleep 0.1 & echo hello");
        container.WaitForLine("serving ");
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = 10_000 };
        socket.Connect(new UnixDomainSocketEndPoint(path));
        byte[] answer = new byte[100];
        Assert.Equal(6, socket.Receive(answer));
        Assert.Equal(0, socket.Receive(answer));
    }

    private static Endpoint EndpointOf(string line) => Endpoint.Parse(line[(line.LastIndexOf(' ') + 1)..]);
}
