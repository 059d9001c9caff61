using System.Net;
using System.Net.Sockets;

namespace Doorbell.Tests.Compared;

/// <summary>The rows of docs/compared.md in which the command is a client that chooses how it speaks.</summary>
public sealed class ConversationJobs
{
    [Fact]
    public void Come_from_an_address_and_a_port_of_your_own()
    {
        Job.Here().BothDo(
            (true, 0),
            static (shell, command) =>
            {
                int port = shell.Free(7001);
                Socket listener = shell.Listen(7000);
                Program client = shell.Start(command, "");
                using Socket server = listener.Accept();
                bool isFromThere = new IPEndPoint(IPAddress.Parse("127.0.0.2"), port).Equals(server.RemoteEndPoint);
                server.Shutdown(SocketShutdown.Send);
                return (isFromThere, client.WaitForEnd().ExitCode);
            });
    }

    [Fact]
    public void Wait_for_a_server_that_starts_later()
    {
        Job.Here().BothDo(
            ("hello\n", 0),
            static (shell, command) =>
            {
                using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
                shell.Use(7000, ((IPEndPoint)listener.LocalEndPoint!).Port);
                Program client = shell.Start(command, "");
                listener.Listen();
                using Socket server = listener.Accept();
                string question = Shell.ReadToEnd(server);
                server.Shutdown(SocketShutdown.Send);
                return (question, client.WaitForEnd().ExitCode);
            });
    }

    [Fact]
    public void Give_up_a_server_that_says_nothing()
    {
        Job.Here().BothDo(
            (1, ""),
            static (shell, command) =>
            {
                _ = shell.Listen(7000);
                return shell.Run(command);
            });
    }

    [Fact]
    public void Ask_a_server_that_answers_at_the_end_of_input()
    {
        Job.Here().BothDo(
            ("hello\n", 0, "two\nlines\n"),
            static (shell, command) =>
            {
                Socket listener = shell.Listen(7000);
                Program client = shell.Start(command, "");
                using Socket server = listener.Accept();
                string question = Shell.ReadToEnd(server);
                server.Send("two\nlines\n"u8);
                server.Shutdown(SocketShutdown.Send);
                Ended ended = client.WaitForEnd();
                return (question, ended.ExitCode, ended.Output);
            });
    }

    [Fact]
    public void Carry_on_a_dialogue_that_a_file_says()
    {
        Job.Here().BothDo(
            ("me", "secret", 0),
            static (shell, command) =>
            {
                Socket listener = shell.Listen(7000);
                int port = ((IPEndPoint)listener.LocalEndPoint!).Port;
                shell.Save("login.expect", $"""
                    spawn -noecho nc 127.0.0.1 {port}
                    expect "login: "
                    send "me\r"
                    expect "Password: "
                    send "secret\r"
                    expect "welcome"
                    """);
                shell.Save("login.script", """
                    expect "login: "
                    send "me\n"
                    expect "Password: "
                    send "secret\n"
                    expect "welcome"
                    """);
                Program client = shell.Start(command, "");
                using Socket server = listener.Accept();
                server.ReceiveTimeout = 30_000;
                server.Send("login: "u8);
                string name = ReadLine(server);
                server.Send("Password: "u8);
                string password = ReadLine(server);
                server.Send("welcome\n"u8);
                return (name, password, client.WaitForEnd().ExitCode);
            });
    }

    private static string ReadLine(Socket socket)
    {
        System.Text.StringBuilder line = new();
        byte[] one = new byte[1];
        while (socket.Receive(one) == 1 && one[0] != '\n')
        {
            line.Append((char)one[0]);
        }

        return line.ToString();
    }
}
