using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;

namespace Doorbell.Tests.Compared;

/// <summary>The rows of docs/compared.md that are about how an endpoint is named, or who may use it.</summary>
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class EndpointJobs
{
    [Fact]
    public void Speak_with_an_abstract_unix_socket()
    {
        Job.Here().BothDo(
            ("HELLO\n", 0),
            static (shell, command) =>
            {
                int port = shell.Free(7000);
                (Program server, Endpoint endpoint) = Doorbells.Serve("native", "capitalize", $"unix:@door-{port}");
                using Program ends = server;
                Assert.Equal($"\0door-{port}", endpoint.Path);
                (int exitCode, string output) = shell.Run(command);
                return (output, exitCode);
            });
    }

    [Fact]
    public void Serve_an_abstract_unix_socket()
    {
        Job.Here().BothDo(
            "hello\n",
            static (shell, command) =>
            {
                int port = shell.Free(7000);
                _ = shell.Start(command);
                return Ask($"\0door-{port}", "hello\n");
            });
    }

    [Fact]
    public void Name_a_port_by_its_service()
    {
        Job.Here().BothDo(
            ("hello\n", 0),
            static (shell, command) =>
            {
                // proofd's port, below those that the kernel gives out.
                using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                listener.Bind(new IPEndPoint(IPAddress.Loopback, 1093));
                listener.Listen();
                Program client = shell.Start(command, "");
                using Socket server = listener.Accept();
                string received = Shell.ReadToEnd(server);
                server.Close();
                return (received, client.WaitForEnd().ExitCode);
            });
    }

    [Fact]
    public void Let_a_group_use_a_unix_socket()
    {
        Job.Here().BothDo(
            ("hello\n", (UnixFileMode)0b110_110_000),
            static (shell, command) =>
            {
                _ = shell.Start(command);
                string path = $"{shell.Folder}/socket";
                string answer = Ask(path, "hello\n");
                return (answer, File.GetUnixFileMode(path));
            });
    }

    [Fact]
    public void Go_through_a_SOCKS_proxy() => BothGoThrough("microsocks -i 127.0.0.1 -p 7000");

    [Fact]
    public void Go_through_an_HTTP_proxy() => BothGoThrough("ncat -l -k 127.0.0.1 7000 --proxy-type http");

    private static void BothGoThrough(string proxy, [CallerMemberName] string test = "")
    {
        Job.Here(test).BothDo(
            ("HELLO\n", 0),
            (shell, command) =>
            {
                shell.ServeCapitalize();
                int port = shell.Free(7000);
                _ = shell.Start(proxy);
                Ports.WaitUntilServed("tcp", port);
                (int exitCode, string output) = shell.Run(command);
                return (output, exitCode);
            });
    }

    private static string Ask(string path, string question)
    {
        Socket? client = null;
        Waiting.Until(() => (client = TryConnect(path)) is not null, "it accepts");
        using (client)
        {
            client!.Send(Encoding.UTF8.GetBytes(question));
            client.Shutdown(SocketShutdown.Send);
            return Shell.ReadToEnd(client);
        }
    }

    private static Socket? TryConnect(string path)
    {
        Socket client = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = 30_000 };
        try
        {
            client.Connect(new UnixDomainSocketEndPoint(path));
            return client;
        }
        catch (SocketException)
        {
            client.Dispose();
            return null;
        }
    }
}
