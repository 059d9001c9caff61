using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Doorbell.Cli.Arguments;
using Doorbell.Cli.Input;
using Doorbell.Cli.Printing;
using Doorbell.Syslog;

namespace Doorbell.Cli.Verbs;

/// <summary><c>doorbell log [ENDPOINT] [TEXT…]</c>: sends messages to a syslog server.</summary>
internal static class LogCommand
{
    private const int MaxLine = 1024 * 1024;

    private const string DefaultEndpoint = "unix+dgram:///dev/log";

    public static Verb Make()
    {
        Argument<string[]> words = Words();
        Option<SyslogPriority?> priority = Priority();
        Option<string?> tag = new("--tag", "-t") { Description = "The program's name [default: the user's]", HelpName = "NAME" };
        Option<bool> old = new("--rfc3164") { Description = "Write the old form [default: RFC 5424's, and the old one to unix+dgram://]" };
        Option<Duration> timeout = CommonOptions.Wait(
            "--timeout", "Bounds connecting, and the wait until a server of streams has read all", 5);
        ClientArguments sockets = new();
        Verb command = new(
            "log",
            "Send messages to a syslog server",
            [
                new("doorbell log udp://localhost:514 the kettle is on", "Sends one message"),
                new("uptime | doorbell log -p local0.info -t clock tcp://localhost:514", "Sends each line of standard input"),
            ])
        {
            words, priority, tag, old, timeout,
        };
        sockets.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            string[] all = parsed.GetValue(words) ?? [];
            bool isGiven = all.Length > 0 && EndpointWord.IsMeant(all[0]);
            Endpoint where = EndpointWord.Parse(isGiven ? all[0] : DefaultEndpoint);
            SyslogMessage form = new()
            {
                Format = parsed.GetValue(old) || where.Transport == Transport.UnixDatagram ? SyslogFormat.Rfc3164 : SyslogFormat.Rfc5424,
                Priority = parsed.GetValue(priority) ?? SyslogPriority.Default,
                Host = where.Transport == Transport.UnixDatagram ? null : Environment.MachineName,
                Application = parsed.GetValue(tag) ?? Environment.UserName,
            };
            ClientOptions client = sockets.Read(parsed, Failure.Say);
            TimeSpan limit = parsed.GetValue(timeout).Time;
            EndPoint? address = where.IsStream
                ? null
                : (await Connector.AddressesAsync(where, limit, client, CancellationToken.None))[0];
            using Socket socket = address is null
                ? await Connector.ConnectAsync(where, limit, client, CancellationToken.None)
                : Connector.ConnectDatagrams(where, address, client);
            string[] texts = isGiven ? all[1..] : all;
            Action<string> send = text => Send(socket, address, where, form with { Text = text });
            if (texts.Length > 0)
            {
                send(string.Join(' ', texts));
            }
            else
            {
                SendLines(send);
            }

            if (where.IsStream)
            {
                End(socket, where, limit);
            }

            return 0;
        });
        return command;
    }

    private static Argument<string[]> Words() => new("TEXT")
    {
        Description = "Where to, if the first word is an endpoint, as in udp://localhost:514, tcp://localhost:514 or "
            + $"unix+dgram:///dev/log [default: {DefaultEndpoint}]; a host and its port are one word here; "
            + "and the message [default: each line of standard input is one]",
        HelpName = "[ENDPOINT] [TEXT…]",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private static Option<SyslogPriority?> Priority() => new("--priority", "-p")
    {
        Description = "Facility and severity, as in local0.err, warning or 131 [default: user.notice]",
        HelpName = "PRIORITY",
        CustomParser = static result =>
        {
            string text = result.Tokens[0].Value;
            if (SyslogPriority.Parse(text) is { } priority)
            {
                return priority;
            }

            result.AddError(
                "--priority takes a facility and a severity, as in local0.err, a severity, or a number from 0 to 191, not "
                    + $"\"{PrintableText.Escape(text)}\"");
            return null;
        },
    };

    private static void SendLines(Action<string> send)
    {
        using Stream input = StandardInput.Open();
        using StreamReader lines = new(input, Encoding.Latin1);
        while (ReadLine(lines) is { } line)
        {
            send(SystemText.FromBytes(Encoding.Latin1.GetBytes(line)));
        }
    }

    private static string? ReadLine(StreamReader lines)
    {
        StringBuilder line = new();
        int next;
        while ((next = lines.Read()) is not (-1 or '\n'))
        {
            line.Append((char)next);
            if (line.Length > MaxLine)
            {
                throw new StandardStreamException("read standard input: a line has more than 1m bytes, which no syslog server takes");
            }
        }

        return next < 0 && line.Length == 0 ? null : line.ToString();
    }

    /// <summary>Waits until a server of streams has read all: it ends its side then, or it has reset the connection.</summary>
    private static void End(Socket socket, Endpoint where, TimeSpan limit)
    {
        try
        {
            socket.Shutdown(SocketShutdown.Send);
            byte[] said = new byte[1024];
            long began = Stopwatch.GetTimestamp();

            // What a server says is not asked for. If it holds the connection, what was sent is there.
            for (TimeSpan left = limit; left > TimeSpan.Zero && socket.Poll(left, SelectMode.SelectRead) && socket.Receive(said) > 0;)
            {
                left = limit - Stopwatch.GetElapsedTime(began);
            }
        }
        catch (SocketException failure)
        {
            throw NetworkException.From("send", where.ToString(), failure);
        }
    }

    /// <summary>A socket for a group or a broadcast address is not connected, so its datagrams take the address.</summary>
    private static void Send(Socket socket, EndPoint? address, Endpoint where, SyslogMessage message)
    {
        DateTimeOffset now = DateTimeOffset.Now;
        string time = message.Format == SyslogFormat.Rfc5424
            ? now.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffffzzz", CultureInfo.InvariantCulture)
            : now.ToString("MMM ", CultureInfo.InvariantCulture) + $"{now.Day,2}" + now.ToString(" HH:mm:ss", CultureInfo.InvariantCulture);
        byte[] bytes = SyslogWriter.Write(message with { Timestamp = time });
        try
        {
            if (where.IsStream)
            {
                // Octet counting (RFC 6587 section 3.4.1): a message may hold line ends.
                bytes = [.. Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{bytes.Length} ")), .. bytes];
            }

            if (address is not null && !socket.Connected)
            {
                _ = socket.SendTo(bytes, address);
                return;
            }

            for (int sent = 0; sent < bytes.Length;)
            {
                sent += socket.Send(bytes.AsSpan(sent), SocketFlags.None);
            }
        }
        catch (SocketException failure)
        {
            throw NetworkException.From("send", where.ToString(), failure);
        }
    }
}
