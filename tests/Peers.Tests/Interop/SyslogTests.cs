using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using CsCheck;
using Doorbell.Syslog;

namespace Doorbell.Tests;

/// <summary>The reader and writer of syslog's messages, <c>serve syslog</c> and <c>log</c>, with logger and rsyslog as peers.</summary>
public sealed class SyslogTests
{
    /// <summary>The examples of RFC 5424 section 6.5 and RFC 3164 section 5.4, and what programs send.</summary>
    [Theory]
    [InlineData(
        "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \ufeff'su root' failed for lonvick on /dev/pts/8",
        "Rfc5424 auth.crit|2003-10-11T22:14:15.003Z|mymachine.example.com|su||ID47||'su root' failed for lonvick on /dev/pts/8")]
    [InlineData(
        "<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time to make the do-nuts.",
        "Rfc5424 local4.notice|2003-08-24T05:14:15.000003-07:00|192.0.2.1|myproc|8710|||%% It's time to make the do-nuts.")]
    [InlineData(
        "<165>1 2003-10-11T22:14:15.003Z h evntslog - ID47 [exampleSDID@32473 iut=\"3\" eventSource=\"App\"][x@1 a=\"b\\]\\\"\\\\\"]",
        "Rfc5424 local4.notice|2003-10-11T22:14:15.003Z|h|evntslog||ID47|exampleSDID@32473 iut=3 eventSource=App;x@1 a=b]\"\\|")]
    [InlineData("<34>Oct 11 22:14:15 mymachine su: 'su root' failed", "Rfc3164 auth.crit|Oct 11 22:14:15|mymachine|su||||'su root' failed")]
    [InlineData("<13>Feb  5 17:32:18 10.0.0.99 Use the BFG!", "Rfc3164 user.notice|Feb  5 17:32:18|10.0.0.99|||||Use the BFG!")]
    [InlineData("<78>Nov 29 12:00:01 CRON[123]: (root) CMD (x)", "Rfc3164 cron.info|Nov 29 12:00:01||CRON|123|||(root) CMD (x)")]
    [InlineData("<13>hello", "Text user.notice||||||||hello")]
    [InlineData("hello\n", "Text user.notice||||||||hello")]
    [InlineData("<192>hello", "Text user.notice||||||||<192>hello")]
    [InlineData("<013>hello", "Text user.notice||||||||<013>hello")]
    [InlineData("<0>1 - - - - - -", "Rfc5424 kern.emerg||||||||")]
    [InlineData("<0>1 - - - - - [", "Text kern.emerg||||||||1 - - - - - [")]
    [InlineData("<0>1 - - - - - [a b=\"c]", "Text kern.emerg||||||||1 - - - - - [a b=\"c]")]
    [InlineData("<0>1 - - - - - [a b=\"c\"]x", "Text kern.emerg||||||||1 - - - - - [a b=\"c\"]x")]
    [InlineData("<0>2 - - - - - - x", "Text kern.emerg||||||||2 - - - - - - x")]
    [InlineData("<13>Foo 11 22:14:15 mymachine su: x", "Text user.notice||||||||Foo 11 22:14:15 mymachine su: x")]
    public void A_message_is_read_as_it_was_meant(string sent, string read) =>
        Assert.Equal(
            read.Replace("||||||||", "|||||||", StringComparison.Ordinal), Describe(SyslogReader.Read(Encoding.UTF8.GetBytes(sent))));

    [Fact]
    public void What_is_written_is_read_again() => Gen.Select(
        Gen.Int[0, 191], Gen.String[Gen.Char['!', '~'], 1, 30], Gen.String[Gen.Char[' ', 'ÿ'], 0, 40],
        Gen.String[Gen.Char['a', 'z'], 1, 9])
        .Sample(static (priority, field, text, name) =>
        {
            SyslogMessage message = new()
            {
                Format = SyslogFormat.Rfc5424,
                Priority = SyslogPriority.Of(priority)!.Value,
                Host = field == "-" ? null : field,
                Application = name,
                Data = [new SyslogElement(name, [(name, text), (name, field)])],
                Text = text,
            };
            Assert.Equal(Describe(message), Describe(SyslogReader.Read(SyslogWriter.Write(message))));
            SyslogMessage old = message with
            {
                Format = SyslogFormat.Rfc3164, Timestamp = "Nov  9 12:00:00", Host = "host", Process = "7", Data = [],
            };
            Assert.Equal(Describe(old), Describe(SyslogReader.Read(SyslogWriter.Write(old))));
        });

    [Fact]
    public void Whatever_comes_is_a_message_and_none_of_it_is_lost() => Gen.OneOf(
        Gen.Byte.Array[0, 60],
        Gen.OneOfConst("<13>", "1 ", "- ", "[a b=\"c\"]", "Nov 29 12:00:01 ", "x: ", "[1]", "<", "\\", "\"", "]", " ", "\n", "\0")
            .Array[0, 12].Select(static words => Encoding.UTF8.GetBytes(string.Concat(words))))
        .Sample(static bytes =>
        {
            SyslogMessage message = SyslogReader.Read(bytes);
            if (message.Format == SyslogFormat.Text && message.Priority == SyslogPriority.Default && bytes is not [(byte)'<', ..])
            {
                int end = bytes is [.., (byte)'\n' or 0] ? bytes.Length - 1 : bytes.Length;
                Assert.Equal(bytes[..end], SystemText.ToBytes(message.Text));
            }
        });

    [Fact]
    public void Messages_are_cut_out_of_a_stream_by_their_lengths_or_their_ends()
    {
        byte[] stream = "5 <13>a<13>b\n<13>c\r\n8 <13>d\ne\n0f\0 12x\n"u8.ToArray();
        string[] expected = ["<13>a", "<13>b", "<13>c", "<13>d\ne\n", "0f", " 12x"];
        List<string> found = [];
        ReadOnlySpan<byte> rest = stream;
        while (SyslogFraming.Instance.TryFind(rest, 0, out Frame frame))
        {
            found.Add(Encoding.ASCII.GetString(rest.Slice(frame.Start, frame.Length)));
            rest = rest[frame.Consumed..];
        }

        Assert.Equal(expected, found);
        Assert.Equal(0, rest.Length);
        for (int length = 0; length < 7; length++)
        {
            Assert.False(SyslogFraming.Instance.TryFind(stream.AsSpan(0, length), 0, out _));
        }
    }

    [Theory]
    [InlineData("udp", "--udp -p local0.err -t tag --rfc5424=notq hello", "local0.err", "tag")]
    [InlineData("udp", "--udp -p mail.debug -t tag --rfc3164 hello", "mail.debug", "tag")]
    [InlineData("tcp", "--tcp -p user.warning -t tag --octet-count hello", "user.warning", "tag")]
    [InlineData("tcp", "--tcp -t tag hello", "user.notice", "tag")]
    [InlineData("unix+dgram", "-p daemon.info -t tag hello", "daemon.info", "tag")]
    public void Logger_s_messages_are_received(string transport, string arguments, string priority, string application)
    {
        string path = Path.Combine(Path.GetTempPath(), $"doorbell-log-{Guid.NewGuid():N}");
        string where = transport == "unix+dgram" ? $"unix+dgram://{path}" : $"{transport}://127.0.0.1:0";
        using Program server = Doorbells.Start("native", "serve", "syslog", where, "--json");
        int port = Port(server.WaitForLine("\"listening\""));
        string[] target = transport == "unix+dgram" ? ["-u", path] : ["--server", "127.0.0.1", "--port", $"{port}"];
        Ended logged = Program.Run("logger", [.. target, .. arguments.Split(' ')]);
        Assert.Equal((0, ""), (logged.ExitCode, logged.Error));
        using JsonDocument message = JsonDocument.Parse(server.WaitForLine("\"message\""));
        JsonElement said = message.RootElement;
        Assert.Equal(
            (priority, application, "hello"),
            ($"{said.GetProperty("facility").GetString()}.{said.GetProperty("severity").GetString()}",
            said.GetProperty("application").GetString(), said.GetProperty("text").GetString()));
    }

    [Theory]
    [InlineData("udp")]
    [InlineData("tcp")]
    [InlineData("unix")]
    [InlineData("unix+dgram")]
    public void Log_sends_what_serve_syslog_prints_escaped(string transport)
    {
        string path = Path.Combine(Path.GetTempPath(), $"doorbell-log-{Guid.NewGuid():N}");
        string where = transport.StartsWith("unix", StringComparison.Ordinal) ? $"{transport}://{path}" : $"{transport}://127.0.0.1:0";
        using Program server = Doorbells.Start("native", "serve", "syslog", where);
        string line = server.WaitForLine("serving syslog on ");
        string endpoint = line[(line.LastIndexOf(' ') + 1)..];
        Assert.Equal(0, Doorbells.Run("native", "", "log", "-p", "local7.crit", "-t", "me", endpoint, "one", "two").ExitCode);
        Assert.Matches(@"local7\.crit .*me: one two$", server.WaitForLine("one two"));
        Assert.Equal(0, Doorbells.Run("native", "first \u001b[2J\nsecond\n", "log", "--rfc3164", endpoint).ExitCode);
        Assert.EndsWith(@": first \x1b[2J", server.WaitForLine("first"), StringComparison.Ordinal);
        Assert.EndsWith(": second", server.WaitForLine("second"), StringComparison.Ordinal);
    }

    /// <summary>What is printed of a message has several times its bytes, and none of it is lost.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_message_as_long_as_may_be_is_printed_whole(bool json)
    {
        const int Length = 1_000_000;
        using Program server = Doorbells.Start("native", ["serve", "syslog", "tcp://127.0.0.1:0", .. json ? ["--json"] : (string[])[]]);
        Send(server.WaitForLine("127.0.0.1:"), [.. Encoding.ASCII.GetBytes($"{Length} "), .. new byte[Length - 1], (byte)'x']);
        Assert.True(server.WaitForLine("0x").Length > 2 * Length);
        Assert.DoesNotContain("not written", server.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("10 short", true, "short")]
    [InlineData("5 short", false, "short")]
    [InlineData("short", false, "short")]
    public void What_the_end_of_its_stream_cuts_off_is_told(string sent, bool isCut, string text)
    {
        using Program plain = Doorbells.Start("native", "serve", "syslog", "tcp://127.0.0.1:0");
        Send(plain.WaitForLine("serving syslog on "), Encoding.ASCII.GetBytes(sent));
        Assert.EndsWith($": {text}{(isCut ? " (cut off)" : "")}", plain.WaitForLine(text), StringComparison.Ordinal);
        using Program json = Doorbells.Start("native", "serve", "syslog", "tcp://127.0.0.1:0", "--json");
        Send(json.WaitForLine("\"listening\""), Encoding.ASCII.GetBytes(sent));
        using JsonDocument message = JsonDocument.Parse(json.WaitForLine("\"message\""));
        Assert.Equal(isCut, message.RootElement.TryGetProperty("cut", out _));
    }

    /// <summary>A sender can't make one element look like two.</summary>
    [Fact]
    public void A_value_is_printed_as_it_is_escaped_in_the_message()
    {
        using Program server = Doorbells.Start("native", "serve", "syslog", "tcp://127.0.0.1:0");
        const string Element = """[ex@1 a="b\"\] [fake@1 x=\"1"]""";
        Send(server.WaitForLine("serving syslog on "), Encoding.ASCII.GetBytes($"<34>1 - h app - - {Element} msg\n"));
        Assert.EndsWith($" h app {Element}: msg", server.WaitForLine(": msg"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_text_that_is_no_utf_8_keeps_its_bytes_in_json()
    {
        using Program json = Doorbells.Start("native", "serve", "syslog", "tcp://127.0.0.1:0", "--json");
        Send(json.WaitForLine("\"listening\""), [(byte)'a', 0xff, (byte)'\n']);
        using JsonDocument message = JsonDocument.Parse(json.WaitForLine("\"message\""));
        Assert.Equal("Yf8=", message.RootElement.GetProperty("textBase64").GetString());
    }

    /// <summary>As every verb has it: a standard input that is closed is empty.</summary>
    [Fact]
    public void Log_without_a_standard_input_sends_nothing()
    {
        using Program server = Doorbells.Start("native", "serve", "syslog", "udp://127.0.0.1:0");
        string line = server.WaitForLine("serving syslog on ");
        Ended ended = Program.Run("sh", ["-c", $"'{Doorbells.File("native")}' log {line[(line.LastIndexOf(' ') + 1)..]} <&-"]);
        Assert.Equal(new Ended(0, "", ""), ended);
    }

    [Fact]
    public void Nobody_there_is_an_error_and_a_wrong_priority_is_wrong_usage()
    {
        Assert.Equal(1, Doorbells.Run("native", "", "log", "tcp://127.0.0.1:1", "x").ExitCode);
        Ended wrong = Doorbells.Run("native", "", "log", "-p", "local8.err", "tcp://127.0.0.1:1", "x");
        Assert.Equal((2, 1), (wrong.ExitCode, wrong.Error.Count(static c => c == '\n')));
    }

    private static void Send(string listening, byte[] bytes)
    {
        int port = int.Parse(
            System.Text.RegularExpressions.Regex.Match(listening, @"127\.0\.0\.1:(\d+)").Groups[1].Value,
            System.Globalization.CultureInfo.InvariantCulture);
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(IPAddress.Loopback, port);
        for (int sent = 0; sent < bytes.Length;)
        {
            sent += socket.Send(bytes.AsSpan(sent), SocketFlags.None);
        }

        socket.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, socket.Receive(new byte[1]));
    }

    private static int Port(string listening)
    {
        using JsonDocument json = JsonDocument.Parse(listening);
        return Endpoint.Parse(json.RootElement.GetProperty("endpoint").GetString()!) is { IsUnix: false } endpoint ? endpoint.Port : 0;
    }

    private static string Describe(SyslogMessage message)
    {
        IEnumerable<string> data = message.Data.Select(static element =>
            element.Id + string.Concat(element.Parameters.Select(static each => $" {each.Name}={each.Value}")));
        string[] fields =
        [
            $"{message.Format} {message.Priority}", message.Timestamp ?? "", message.Host ?? "", message.Application ?? "",
            message.Process ?? "", message.MessageId ?? "", string.Join(';', data), message.Text,
        ];
        return string.Join('|', fields);
    }
}
