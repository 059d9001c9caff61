using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Doorbell.Tests;

/// <summary>Where a reply to <c>doorbell ask</c> ends: at a line of its own, at the connection's end, or never.</summary>
public sealed class AskReplyEndTests
{
    private const string List = "+OK 2 messages\r\n1 120\r\n2 200\r\n.\r\n";

    [Fact]
    public void A_reply_of_several_lines_ends_with_the_line_that_is_named()
    {
        using Server server = new("+OK ready\r\n", new() { ["LIST"] = List, ["NOOP"] = "+OK\r\n.\r\n" });
        Ended ended = Doorbells.Run("native", "LIST\nNOOP\n", "ask", "-C", "--greeting", "--until", ".", server.Where);
        Assert.Equal((0, "FROM SERVER: +OK 2 messages\n1 120\n2 200\n.\nFROM SERVER: +OK\n.\n"), (ended.ExitCode, ended.Output));
        Assert.Equal("doorbell: the server's greeting: +OK ready\n", ended.Error);
        Assert.Equal(1, server.Connections);
    }

    [Fact]
    public void The_last_line_may_be_one_in_which_an_expression_is_found()
    {
        using Server server = new("", new() { ["EHLO x"] = "250-here\r\n250-SIZE 10\r\n250 HELP\r\n", ["QUIT"] = "221 bye\r\n" });
        Ended ended = Doorbells.Run("native", "EHLO x\nQUIT\n", "ask", "-C", "--raw", "--until", "/^[0-9]{3} /", server.Where);
        Assert.Equal((0, "250-here\n250-SIZE 10\n250 HELP\n221 bye\n", ""), (ended.ExitCode, ended.Output, ended.Error));
    }

    [Fact]
    public void As_JSON_it_is_one_reply()
    {
        using Server server = new("", new() { ["LIST"] = List });
        Ended ended = Doorbells.Run("native", "", "ask", "--json", "--until", ".", server.Where, "LIST");
        Assert.StartsWith("{\"reply\":\"\\u002BOK 2 messages\\r\\n1 120\\r\\n2 200\\r\\n.\",", ended.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("+OK\r\n1 120\r\n", "+OK\n1 120\n", "closed the connection in the middle of a reply, after 12 bytes of it")]
    [InlineData("+OK\r\n1 1", "+OK\n1 1\n", "closed the connection in the middle of a reply, after 8 bytes of it")]
    [InlineData("", "", "the server closed the connection without a reply")]
    public void A_reply_that_is_cut_off_is_printed_and_told_of(string cut, string printed, string why)
    {
        using Server server = new("", new() { ["LIST"] = cut }, closes: true);
        Ended ended = Doorbells.Run("native", "", "ask", "--raw", "--until", ".", server.Where, "LIST");
        Assert.Equal((1, printed), (ended.ExitCode, ended.Output));
        Assert.Contains(why, ended.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a\nb\n", "a\nb\n")]
    [InlineData("no end of line", "no end of line\n")]
    [InlineData("", "\n")]
    public void After_a_half_close_the_reply_is_all_until_the_servers_end(string answer, string printed)
    {
        using Server server = new("", new() { ["hello"] = answer }, closes: true, untilEnd: true);
        Ended ended = Doorbells.Run("native", "hello\nhello\n", "ask", "--raw", "--half-close", server.Where);
        Assert.Equal(new Ended(0, printed + printed, ""), ended);
        Assert.Equal(2, server.Connections);
    }

    [Fact]
    public void Each_question_may_have_a_connection_of_its_own()
    {
        using Server server = new("hello there\n", new() { ["a"] = "A\n", ["b"] = "B\n" });
        Ended ended = Doorbells.Run("native", "a\nb\n", "ask", "--raw", "--reconnect", "--greeting", server.Where);
        string greeting = "doorbell: the server's greeting: hello there\n";
        Assert.Equal(new Ended(0, "A\nB\n", greeting + greeting), ended);
        Assert.Equal(2, server.Connections);
    }

    [Theory]
    [InlineData("")]
    [InlineData("--raw")]
    [InlineData("--json")]
    [InlineData("--half-close")]
    [InlineData("--until=.")]
    public void That_no_byte_came_in_time_is_said(string option)
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        string where = $"tcp://{listener.LocalEndPoint}";
        string[] options = option.Length == 0 ? [] : [option];
        Ended ended = Doorbells.Run("native", "", ["ask", "--timeout", "300ms", .. options, where, "hello"]);
        Assert.Equal((1, ""), (ended.ExitCode, ended.Output));
        Assert.Contains($"doorbell: receive {where}: no reply within 0.3 s", ended.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("udp://127.0.0.1:1", "--until=.", "--until is for tcp:// and unix:// endpoints")]
    [InlineData("udp://127.0.0.1:1", "--half-close", "--half-close is for tcp:// and unix:// endpoints")]
    [InlineData("coap://127.0.0.1:1/x", "--reconnect", "--reconnect is for tcp:// and unix:// endpoints")]
    [InlineData("tcp://127.0.0.1:1", "--until=/(/", "is no regular expression that can be searched")]
    [InlineData("tcp://127.0.0.1:1", "--until=. --half-close", "exclude each other")]
    public void What_makes_no_sense_is_wrong_usage(string where, string options, string why)
    {
        Ended ended = Doorbells.Run("native", "", ["ask", .. options.Split(' '), where, "hello"]);
        Assert.Equal(2, ended.ExitCode);
        Assert.Contains(why, ended.Error, StringComparison.Ordinal);
    }

    /// <summary>Answers each line with what is known for it.</summary>
    private sealed class Server : IDisposable
    {
        private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        private int _connections;

        public Server(string greeting, Dictionary<string, string> answers, bool closes = false, bool untilEnd = false)
        {
            _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            _listener.Listen();
            Where = $"tcp://{_listener.LocalEndPoint}";
            new Thread(() => Serve(greeting, answers, closes, untilEnd)) { IsBackground = true }.Start();
        }

        public string Where { get; }

        public int Connections => Volatile.Read(ref _connections);

        public void Dispose() => _listener.Dispose();

        private void Serve(string greeting, Dictionary<string, string> answers, bool closes, bool untilEnd)
        {
            try
            {
                while (true)
                {
                    using Socket connection = _listener.Accept();
                    Interlocked.Increment(ref _connections);
                    connection.Send(Encoding.ASCII.GetBytes(greeting));
                    using StreamReader lines = new(new NetworkStream(connection), Encoding.ASCII);
                    string? held = null;
                    while (lines.ReadLine() is { } line)
                    {
                        held = line;
                        if (!untilEnd)
                        {
                            connection.Send(Encoding.ASCII.GetBytes(answers[line]));
                            if (closes)
                            {
                                break;
                            }
                        }
                    }

                    if (untilEnd && held is not null)
                    {
                        connection.Send(Encoding.ASCII.GetBytes(answers[held]));
                    }
                }
            }
            catch (Exception over) when (over is SocketException or ObjectDisposedException or IOException)
            {
                // The test is over.
            }
        }
    }
}
