using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;

namespace Doorbell.Tests.Compared;

/// <summary>The rows of docs/compared.md in which the command is a server, or stands between two.</summary>
public sealed class ServerJobs
{
    [Fact]
    public void Serve_a_file_to_all_who_come() => BothAnswer("", "what is in the file\n");

    [Fact]
    public void Run_a_program_for_each_connection() => BothAnswer("hello", "HELLO");

    [Fact]
    public void Echo_what_comes() => BothAnswer("hello\nworld", "hello\nworld");

    [Fact]
    public void Be_started_for_each_connection() => BothAnswer("hello\nworld", "hello\nworld");

    [Fact]
    public void Pass_a_port_on() => BothAnswer("hello\n", "HELLO\n");

    [Fact]
    public void Serve_a_unix_socket() => BothAnswerOnUnix("hello\n", "hello\n");

    [Fact]
    public void Pass_a_unix_socket_on_to_TCP() => BothAnswerOnUnix("hello\n", "HELLO\n");

    [Fact]
    public void Run_a_program_for_each_datagram()
    {
        Job.Here().BothDo(
            "HELLO",
            static (shell, command) =>
            {
                int port = shell.Free(7000, "udp");
                _ = shell.Start(command);
                Ports.WaitUntilServed("udp", port);
                using Socket client = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 30_000 };
                client.Connect(IPAddress.Loopback, port);
                client.Send("hello"u8);
                byte[] buffer = new byte[100];
                return Encoding.ASCII.GetString(buffer, 0, client.Receive(buffer));
            });
    }

    [Fact]
    public void Let_everyone_hear_everyone()
    {
        Job.Here().BothDo(
            ("hello,hello", ""),
            static (shell, command) =>
            {
                int port = shell.Free(7000);
                _ = shell.Start(command);
                using Socket one = Shell.Connect(port);
                using Socket two = Shell.Connect(port);
                using Socket three = Shell.Connect(port);
                Socket[] members = [one, two, three];
                WaitUntilAllHear(members);
                one.Send("hello\n"u8);
                string[] heard = [.. members[1..].Select(static member => HearLine(member, "hello"))];
                two.Shutdown(SocketShutdown.Send);
                return (string.Join(',', heard), Shell.ReadToEnd(two).Replace("anyone?\n", "", StringComparison.Ordinal));
            });
    }

    [Fact]
    public void Be_an_HTTP_proxy()
    {
        Job.Here().BothDo(
            true,
            static (shell, command) =>
            {
                (Program server, Endpoint capitalize) = Doorbells.Serve("native", "capitalize", "tcp://127.0.0.1:0");
                using Program ends = server;
                int port = shell.Free(7000);
                _ = shell.Start(command);
                using Socket client = Shell.Connect(port);
                client.Send(Encoding.ASCII.GetBytes($"CONNECT 127.0.0.1:{capitalize.Port} HTTP/1.1\r\n\r\n"));
                HearLine(client, "\r");
                client.Send("hello\n"u8);
                HearLine(client, "HELLO");
                return true;
            });
    }

    /// <summary>A broker tells nobody that he is in: each says something until the others hear it.</summary>
    private static void WaitUntilAllHear(Socket[] members)
    {
        foreach (Socket member in members)
        {
            member.ReceiveTimeout = 30_000;
            foreach (Socket other in members.Where(other => other != member))
            {
                Waiting.Until(
                    () =>
                    {
                        member.Send("anyone?\n"u8);
                        return other.Poll(TimeSpan.FromMilliseconds(50), SelectMode.SelectRead);
                    },
                    "it is heard");
                HearLine(other, "anyone?");
            }
        }
    }

    private static string HearLine(Socket member, string line)
    {
        string heard;
        do
        {
            StringBuilder text = new();
            byte[] one = new byte[1];
            for (Assert.Equal(1, member.Receive(one)); one[0] != '\n'; Assert.Equal(1, member.Receive(one)))
            {
                text.Append((char)one[0]);
            }

            heard = text.ToString();
        }
        while (heard != line);
        return heard;
    }

    /// <summary>Three clients, one after the other, see the same of both.</summary>
    private static void BothAnswer(string question, string answer, [CallerMemberName] string test = "")
    {
        Job.Here(test).BothDo(
            string.Concat(Enumerable.Repeat(answer, 3)),
            (shell, command) =>
            {
                shell.Save("file", "what is in the file\n");
                shell.ServeCapitalize();
                int port = shell.Free(7000);
                _ = shell.Start(command);
                return string.Concat(Enumerable.Range(0, 3).Select(_ => Ask(Shell.Connect(port), question)));
            });
    }

    private static void BothAnswerOnUnix(string question, string answer, [CallerMemberName] string test = "")
    {
        Job.Here(test).BothDo(
            answer,
            (shell, command) =>
            {
                shell.ServeCapitalize();
                _ = shell.Start(command);
                string path = $"{shell.Folder}/socket";
                Socket client = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = 30_000 };
                Waiting.Until(() => TryConnect(client, path), "it accepts");
                return Ask(client, question);
            });
    }

    /// <summary>A path is there a moment before its socket listens.</summary>
    private static bool TryConnect(Socket client, string path)
    {
        try
        {
            client.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static string Ask(Socket client, string question)
    {
        using (client)
        {
            client.Send(Encoding.UTF8.GetBytes(question));
            client.Shutdown(SocketShutdown.Send);
            return Shell.ReadToEnd(client);
        }
    }
}
