using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Doorbell.Tests.Compared;

/// <summary>The rows of docs/compared.md in which the command waits for a peer, and those in which it gives one to a program.</summary>
public sealed class ListenJobs
{
    [Fact]
    public void Receive_a_file()
    {
        Job.Here().BothDo(
            (0, "what is in the file\n", false),
            static (shell, command) =>
            {
                int port = shell.Free(7000);
                Program receiver = shell.Start(command, "");
                using (Socket sender = Shell.Connect(port))
                {
                    sender.Send("what is in the file\n"u8);
                }

                return (receiver.WaitForEnd().ExitCode, shell.Read("copy"), IsServed(port));
            });
    }

    [Fact]
    public void Give_a_file_to_the_first_who_comes()
    {
        Job.Here().BothDo(
            ("what is in the file\n", 0),
            static (shell, command) =>
            {
                shell.Save("file", "what is in the file\n");
                int port = shell.Free(7000);
                Program sender = shell.Start(command);
                using Socket receiver = Shell.Connect(port);
                string received = Shell.ReadToEnd(receiver);
                receiver.Close();
                return (received, sender.WaitForEnd().ExitCode);
            });
    }

    [Fact]
    public void Talk_with_who_connects()
    {
        Job.Here().BothDo(
            ("hi\n", 0, "hello\n"),
            static (shell, command) =>
            {
                int port = shell.Free(7000);
                Program here = shell.Start(command);
                using Socket there = Shell.Connect(port);
                there.Send("hello\n"u8);
                here.WaitForLine("hello");
                here.Input.Write("hi\n"u8);
                here.Input.Close();
                string heard = Shell.ReadToEnd(there);
                there.Close();
                Ended ended = here.WaitForEnd();
                return (heard, ended.ExitCode, ended.Output);
            });
    }

    [Fact]
    public void Take_one_connection_after_the_other()
    {
        Job.Here().BothDo(
            "one,two,three",
            static (shell, command) =>
            {
                int port = shell.Free(7000);
                Program here = shell.Start(command, "");
                foreach (string text in (string[])["one", "two", "three"])
                {
                    using Socket there = Shell.Connect(port);
                    there.Send(Encoding.ASCII.GetBytes(text + "\n"));
                    there.Close();
                    here.WaitForLine(text);
                }

                return here.Output.Trim().Replace('\n', ',');
            });
    }

    [Fact]
    public void Wait_at_a_unix_socket()
    {
        Job.Here().BothDo(
            "hello\n",
            static (shell, command) =>
            {
                Program here = shell.Start(command, "");
                Socket there = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                Waiting.Until(() => TryConnect(there, $"{shell.Folder}/socket"), "it accepts");
                using (there)
                {
                    there.Send("hello\n"u8);
                }

                Ended ended = here.WaitForEnd();
                return ended.Output;
            });
    }

    [Fact]
    public void Print_the_datagrams_that_come()
    {
        Job.Here().BothDo(
            "one,two",
            static (shell, command) =>
            {
                int port = shell.Free(7000, "udp");
                Program here = shell.Start(command, "");
                Ports.WaitUntilServed("udp", port);
                foreach (string text in (string[])["one", "two"])
                {
                    using Socket there = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
                    there.SendTo(Encoding.ASCII.GetBytes(text + "\n"), new IPEndPoint(IPAddress.Loopback, port));
                    here.WaitForLine(text);
                }

                return here.Output.Trim().Replace('\n', ',');
            });
    }

    [Fact]
    public void Talk_over_datagrams_with_the_first_who_sends()
    {
        Job.Here().BothDo(
            ("hello", "hi\n", true),
            static (shell, command) =>
            {
                int port = shell.Free(7000, "udp");
                Program here = shell.Start(command);
                Ports.WaitUntilServed("udp", port);
                using Socket there = Datagrams(port);
                using Socket another = Datagrams(port);
                there.Send("hello\n"u8);
                string heard = here.WaitForLine("hello");
                here.Input.Write("hi\n"u8);
                here.Input.Flush();
                byte[] buffer = new byte[100];
                string answer = Encoding.ASCII.GetString(buffer, 0, there.Receive(buffer));
                another.Send("me too\n"u8);
                SocketException refused = Assert.Throws<SocketException>(() => another.Receive(buffer));
                return (heard, answer, refused.SocketErrorCode == SocketError.ConnectionRefused);
            });
    }

    [Fact]
    public void Give_the_first_who_comes_a_program()
    {
        Job.Here().BothDo(
            "HELLO\n",
            static (shell, command) =>
            {
                int port = shell.Free(7000);
                Program here = shell.Start(command);
                using Socket there = Shell.Connect(port);
                there.Send("hello\n"u8);
                there.Shutdown(SocketShutdown.Send);
                string answer = Shell.ReadToEnd(there);
                Assert.Equal(0, here.WaitForEnd().ExitCode);
                return answer;
            });
    }

    [Fact]
    public void Connect_a_program()
    {
        Job.Here().BothDo(
            ("HELLO\n", 0),
            static (shell, command) =>
            {
                Socket listener = shell.Listen(7000);
                Program here = shell.Start(command);
                using Socket there = listener.Accept();
                there.Send("hello\n"u8);
                there.Shutdown(SocketShutdown.Send);
                return (Shell.ReadToEnd(there), here.WaitForEnd().ExitCode);
            });
    }

    private static Socket Datagrams(int port)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 30_000 };
        socket.Connect(IPAddress.Loopback, port);
        return socket;
    }

    private static bool IsServed(int port)
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Connect(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

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
}
