using System.Net.Sockets;
using System.Text;

namespace Doorbell.Tests.Compared;

/// <summary>The rows of docs/compared.md in which the command is a client.</summary>
public sealed class ClientJobs
{
    private const string Text = "one\ntwo\r\n\ttab \u00e4 and no line's end";

    [Fact]
    public void Ask_a_server_over_TCP() => BothAnswer("HELLO\n");

    [Fact]
    public void Ask_a_server_over_UDP() => BothAnswer("HELLO\n");

    [Fact]
    public void Set_a_socket_option() => BothAnswer("HELLO\n");

    [Fact]
    public void See_the_bytes_of_both_directions() => BothAnswer("HELLO\n");

    [Fact]
    public void Connect_over_IPv4_alone() => BothAnswer("HELLO\n");

    [Fact]
    public void Go_out_by_one_interface() => BothAnswer("HELLO\n");

    [Fact]
    public void Send_a_file()
    {
        Job.Here().BothDo(
            (Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(Text)), 0),
            static (shell, command) =>
            {
                shell.Save("file", Text);
                Socket listener = shell.Listen(7000);
                Program sender = shell.Start(command, "");
                using Socket receiver = listener.Accept();
                string received = Shell.ReadToEnd(receiver);
                receiver.Close();
                return (received, sender.WaitForEnd().ExitCode);
            });
    }

    [Fact]
    public void Fetch_what_a_server_sends()
    {
        Job.Here().BothDo(
            (0, Text),
            static (shell, command) =>
            {
                Socket listener = shell.Listen(7000);
                Program client = shell.Start(command, "");
                using (Socket sender = listener.Accept())
                {
                    sender.Send(Encoding.UTF8.GetBytes(Text));
                }

                return (client.WaitForEnd().ExitCode, shell.Read("copy"));
            });
    }

    [Fact]
    public void Speak_HTTP_by_hand()
    {
        Job.Here().BothDo(
            ("GET / HTTP/1.0\r\n\r\n", 0, "HTTP/1.0 204 No Content\n\n"),
            static (shell, command) =>
            {
                Socket listener = shell.Listen(7000);
                Program client = shell.Start(command, "");
                using Socket server = listener.Accept();
                byte[] request = new byte["GET / HTTP/1.0\r\n\r\n".Length];
                int count = 0;
                while (count < request.Length)
                {
                    count += server.Receive(request, count, request.Length - count, SocketFlags.None);
                }

                server.Send("HTTP/1.0 204 No Content\r\n\r\n"u8);
                server.Shutdown(SocketShutdown.Send);
                Ended ended = client.WaitForEnd();
                return (Encoding.ASCII.GetString(request), ended.ExitCode, ended.Output);
            });
    }

    [Fact]
    public void Speak_with_a_unix_socket()
    {
        Job.Here().BothDo(
            (0, "HELLO\n"),
            static (shell, command) =>
            {
                using Program server = Doorbells.Start("native", "serve", "capitalize", $"unix://{shell.Folder}/socket");
                server.WaitForLine("serving ");
                return shell.Run(command);
            });
    }

    [Fact]
    public void Send_to_syslog_over_UDP()
    {
        Job.Here().BothDo(
            (0, "<14>hello"),
            static (shell, command) =>
            {
                Socket receiver = shell.Bind(7000);
                return (shell.Run(command).ExitCode, Receive(receiver));
            });
    }

    [Fact]
    public void Send_to_a_unix_datagram_socket()
    {
        Job.Here().BothDo(
            (0, "<14>hello"),
            static (shell, command) =>
            {
                using Socket receiver = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 30_000 };
                receiver.Bind(new UnixDomainSocketEndPoint($"{shell.Folder}/log"));
                return (shell.Run(command).ExitCode, Receive(receiver));
            });
    }

    [Fact]
    public void Find_that_nobody_listens()
    {
        Job.Here().BothDo(
            (1, ""),
            static (shell, command) =>
            {
                shell.Free(7000);
                return shell.Run(command);
            });
    }

    [Fact]
    public void Check_a_port() => BothAnswer("");

    [Fact]
    public void Check_a_port_that_nobody_serves()
    {
        Job.Here().BothDo(
            1,
            static (shell, command) =>
            {
                shell.Free(7000);
                return shell.Run(command).ExitCode;
            });
    }

    [Fact]
    public void Wait_until_a_server_listens()
    {
        Job.Here().BothDo(
            (true, 0),
            static (shell, command) =>
            {
                int port = shell.Free(7000);
                Program waiting = shell.Start(command, "");
                bool waits = !waiting.EndsWithin(TimeSpan.FromMilliseconds(300));
                using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                listener.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, port));
                listener.Listen();
                return (waits, waiting.WaitForEnd().ExitCode);
            });
    }

    private static string Receive(Socket socket)
    {
        byte[] buffer = new byte[1_000];
        return Encoding.UTF8.GetString(buffer, 0, socket.Receive(buffer));
    }

    [Fact]
    public void Ask_what_a_CoAP_server_has() => BothAsk("</capitalize>;ct=0,</daytime>;ct=0;obs,</discard>,</echo>,</time>;ct=42;obs\n");

    [Fact]
    public void Ask_a_CoAP_resource() => BothAsk("HELLO\n");

    [Fact]
    public void Ask_a_CoAP_resource_over_TCP() => BothAsk("HELLO\n", "coap+tcp");

    [Fact]
    public void Watch_a_CoAP_resource()
    {
        Job.Here().BothDo(
            (0, true, true),
            static (shell, command) =>
            {
                shell.ServeCoap();
                (int exitCode, string output) = shell.Run(command);
                string[] times = output.Split("-UTC", StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
                return (exitCode, times.Length >= 2, times.Distinct().Count() == times.Length);
            });
    }

    private static void BothAsk(string answer, string scheme = "coap", [System.Runtime.CompilerServices.CallerMemberName] string test = "")
    {
        Job.Here(test).BothDo(
            (0, answer),
            (shell, command) =>
            {
                shell.ServeCoap(scheme);
                (int exitCode, string output) = shell.Run(command);

                // Versions of libcoap's client differ in the line end behind the answer.
                return (exitCode, output.TrimEnd('\n') + "\n");
            });
    }

    private static void BothAnswer(string answer, [System.Runtime.CompilerServices.CallerMemberName] string test = "")
    {
        Job.Here(test).BothDo(
            (0, answer),
            static (shell, command) =>
            {
                shell.ServeCapitalize();
                return shell.Run(command);
            });
    }
}
