using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Doorbell.Tests;

/// <summary><c>doorbell connect</c> as a user runs it.</summary>
public sealed class ConnectTests
{
    public static TheoryData<string> Both => Doorbells.Both;

    [Theory]
    [MemberData(nameof(Both))]
    public void Fifty_megabytes_of_any_bytes_pass_both_ways_unchanged(string kind)
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve(kind, "echo", "tcp://127.0.0.1:0");
        using (server)
        {
            string file = Path.GetTempFileName();
            byte[] bytes = new byte[50 * 1024 * 1024];
            new Random(1).NextBytes(bytes);
            File.WriteAllBytes(file, bytes);
            Ended joined = Program.Run("bash", ["-c", $"'{Doorbells.File(kind)}' connect {endpoint} < {file} > {file}.back"]);
            Assert.Equal(new Ended(0, "", ""), joined);
            Assert.Equal(bytes, File.ReadAllBytes(file + ".back"));
            File.Delete(file);
            File.Delete(file + ".back");
        }
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void It_ends_when_the_peer_does_even_with_standard_input_open(string kind)
    {
        using Socket listener = Listener();
        using Program joined = Doorbells.Start(kind, "connect", $"tcp://{listener.LocalEndPoint}");
        using Socket connection = listener.Accept();
        connection.Send("last words"u8);
        connection.Shutdown(SocketShutdown.Send);
        Assert.Equal(new Ended(0, "last words\n", ""), joined.WaitForEnd());
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void The_end_of_input_half_closes_and_a_reply_on_its_way_is_not_cut_off(string kind)
    {
        using Socket listener = Listener();
        using Program joined = Doorbells.Start(kind, "connect", $"tcp://{listener.LocalEndPoint}");
        using Socket connection = listener.Accept();
        joined.Input.Write("question"u8);
        joined.Input.Close();
        Assert.Equal("question", ReceiveToEnd(connection));
        byte[] reply = Encoding.ASCII.GetBytes(new string('r', 1_000_000) + "\n");
        connection.Send(reply);
        connection.Shutdown(SocketShutdown.Both);
        Ended ended = joined.WaitForEnd();
        Assert.Equal((0, reply.Length), (ended.ExitCode, ended.Output.Length));
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void Without_half_close_the_sending_side_stays_open(string kind)
    {
        using Socket listener = Listener();
        using Program joined = Doorbells.Start(kind, "connect", "--no-half-close", $"tcp://{listener.LocalEndPoint}");
        using Socket connection = listener.Accept();
        joined.Input.Write("question"u8);
        joined.Input.Close();
        byte[] question = new byte[8];
        Assert.Equal(8, connection.Receive(question));
        Assert.False(connection.Poll(300_000, SelectMode.SelectRead), "nothing, and no end, has come");
        connection.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, joined.WaitForEnd().ExitCode);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void A_reset_is_an_error_after_all_that_came_is_written(string kind)
    {
        using Socket listener = Listener();
        using Program joined = Doorbells.Start(kind, "connect", $"tcp://{listener.LocalEndPoint}");
        using Socket connection = listener.Accept();
        connection.Send("before the reset\n"u8);
        joined.WaitForLine("before the reset");
        connection.Close(0);
        Ended ended = joined.WaitForEnd();
        Assert.Equal(1, ended.ExitCode);
        Assert.Contains("ECONNRESET (Connection reset by peer)", ended.Error, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void A_reader_that_goes_ends_it_with_an_error(string kind)
    {
        using Socket listener = Listener();
        using Program joined = Program.Start("bash", ["-c",
            $"'{Doorbells.File(kind)}' connect tcp://{listener.LocalEndPoint} | head -1; echo ${{PIPESTATUS[0]}}"]);
        using Socket connection = listener.Accept();
        connection.Send("first\n"u8);
        joined.WaitForLine("first");
        Ended? ended = null;
        byte[] more = Encoding.ASCII.GetBytes(new string('x', 1000) + "\n");
        try
        {
            for (int i = 0; i < 100_000; i++)
            {
                connection.Send(more);
            }
        }
        catch (SocketException)
        {
            ended = joined.WaitForEnd();
        }

        Assert.NotNull(ended);
        Assert.EndsWith("\n1\n", ended.Output, StringComparison.Ordinal);
        Assert.Contains("standard output", ended.Error, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void Datagrams_are_joined_too_and_answers_waited_for(string kind)
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve(kind, "udp://127.0.0.1:0");
        using (server)
        {
            Assert.Equal(new Ended(0, "HELLO\n", ""), Doorbells.Run(kind, "hello\n", "connect", endpoint.ToString(), "--wait", "0.5"));
        }

        Ended nobody = Doorbells.Run(kind, "hello\n", "connect", "udp://127.0.0.1:1");
        Assert.Equal(1, nobody.ExitCode);
        Assert.Contains("ECONNREFUSED", nobody.Error, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void A_names_next_address_is_tried_for_datagrams_when_one_refuses(string kind)
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve(kind, "udp://127.0.0.1:0");
        using (server)
        {
            Ended joined = Doorbells.Run(kind, "hello\n", "connect", $"udp://localhost:{endpoint.Port}", "--wait", "0.5");
            Assert.Equal(new Ended(0, "HELLO\n", ""), joined);
        }
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void Broken_standard_streams_are_told_of_and_never_make_up_data(string kind)
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve(kind, "tcp://127.0.0.1:0");
        using (server)
        {
            string connect = $"'{Doorbells.File(kind)}' connect {endpoint}";
            Assert.Equal(new Ended(0, "", ""), Program.Run("bash", ["-c", $"{connect} <&-"]));
            Ended folder = Program.Run("bash", ["-c", $"{connect} < /"]);
            Assert.Equal(1, folder.ExitCode);
            Assert.Contains("read standard input: ", folder.Error, StringComparison.Ordinal);
            Ended full = Program.Run("bash", ["-c", $"echo hello | {connect} > /dev/full"]);
            Assert.Equal(1, full.ExitCode);
            Assert.Contains("write standard output: ENOSPC: No space left on device", full.Error, StringComparison.Ordinal);
            Assert.Equal(1, Program.Run("bash", ["-c", $"echo hello | {connect} >&-"]).ExitCode);
        }
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void Nobody_there_is_one_line_and_exit_code_1(string kind)
    {
        Ended ended = Doorbells.Run(kind, "", "connect", "unix:///nonexistent/door");
        Assert.Equal(1, ended.ExitCode);
        Assert.Contains("connect unix:///nonexistent/door: ENOENT (No such file or directory); no server has made this socket",
            ended.Error, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void A_peer_that_sends_no_more_still_gets_all_of_a_file_and_of_a_pipe(string kind)
    {
        foreach (string input in new[] { "head -c 30000000 /dev/zero | COMMAND", "head -c 30000000 /dev/zero >FILE; COMMAND <FILE" })
        {
            using Socket listener = Listener();
            string file = Path.GetTempFileName();
            using Program joined = Program.Start("bash", "-c", "set -o pipefail; " + input
                .Replace("COMMAND", $"'{Doorbells.File(kind)}' connect tcp://{listener.LocalEndPoint}", StringComparison.Ordinal)
                .Replace("FILE", file, StringComparison.Ordinal));
            using Socket connection = listener.Accept();
            connection.Send("hello\n"u8);
            connection.Shutdown(SocketShutdown.Send);
            joined.WaitForLine("hello");
            Assert.Equal(30_000_000, ReceiveToEnd(connection).Length);
            Assert.Equal(new Ended(0, "hello\n", ""), joined.WaitForEnd());
            File.Delete(file);
        }
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void What_could_not_be_sent_to_a_peer_that_has_gone_is_told(string kind)
    {
        using Socket listener = Listener();
        using Program joined = Program.Start(
            "bash", "-c", $"yes 2>/dev/null | '{Doorbells.File(kind)}' connect tcp://{listener.LocalEndPoint}; echo ${{PIPESTATUS[1]}}");
        using (Socket connection = listener.Accept())
        {
            connection.Send("bye\n"u8);
            connection.Shutdown(SocketShutdown.Send);
            joined.WaitForLine("bye");

            // A close with unread input resets the connection (RFC 2525 section 2.17).
        }

        Ended ended = joined.WaitForEnd();
        Assert.Equal("bye\n1\n", ended.Output);
        Assert.Matches(
            "^doorbell: send tcp://[^ ]+: E[A-Z]+ .*the peer had ended, and [0-9]+ bytes that standard input gave were not sent\n$",
            ended.Error);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void Crlf_ends_each_line_as_nc_does(string kind)
    {
        foreach ((string given, string sent) in new[] { ("a\nb\r\nc", "a\r\nb\r\nc"), ("\n\n", "\r\n\r\n"), ("a\rb", "a\rb") })
        {
            foreach (string option in new[] { "-C", "--crlf" })
            {
                using Socket listener = Listener();
                using Program joined = Doorbells.Start(kind, "connect", option, $"tcp://{listener.LocalEndPoint}");
                using Socket connection = listener.Accept();
                joined.Input.Write(Encoding.ASCII.GetBytes(given));
                joined.Input.Close();
                Assert.Equal(sent, ReceiveToEnd(connection));
                connection.Shutdown(SocketShutdown.Send);
                Assert.Equal(0, joined.WaitForEnd().ExitCode);
            }
        }
    }

    private static Socket Listener()
    {
        Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        return listener;
    }

    private static string ReceiveToEnd(Socket connection)
    {
        StringBuilder all = new();
        byte[] buffer = new byte[1000];
        int count;
        while ((count = connection.Receive(buffer)) > 0)
        {
            all.Append(Encoding.UTF8.GetString(buffer, 0, count));
        }

        return all.ToString();
    }
}
