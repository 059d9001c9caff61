using System.CommandLine;
using System.Net.Sockets;
using Doorbell.Cli.Arguments;
using Doorbell.Cli.Printing;
using Doorbell.Files;
using Doorbell.Native;

namespace Doorbell.Cli.Verbs;

/// <summary><c>doorbell send FILE… ENDPOINT</c>: files to <c>doorbell receive</c>, or the bytes of one to any server.</summary>
internal static class SendCommand
{
    private const string Example = "as in send a.txt tcp://localhost:7000";

    public static Verb Make()
    {
        Argument<string[]> words = new("FILE")
        {
            Description = "The files, and behind them where to: tcp://host:port or unix:///path",
            HelpName = "FILE… ENDPOINT",
            Arity = ArgumentArity.OneOrMore,
        };
        Option<bool> plain = new("--plain") { Description = "Send the bytes of one file and nothing else, as nc -N does" };
        Option<Duration> timeout = CommonOptions.Wait("--timeout", "Bounds connecting, each time", 5);
        Option<Duration> idle = CommonOptions.Wait("--idle-timeout", "Take the connection for cut if no byte moves for so long", 60);
        Option<int?> tries = CommonOptions.Number(
            "--tries", "Connect at most so often, after longer and longer waits, also after a cut [default: 1]", 1, 100);
        Option<bool> json = new("--json") { Description = "Print each file as JSON, one a line" };
        ClientArguments sockets = new();
        Verb command = new(
            "send",
            "Send files to doorbell receive; what is there already is not sent again",
            [
                new("doorbell send /etc/hostname tcp://localhost:7000", "Sends a file, and compares its checksum there"),
                new("doorbell send --tries 20 /etc/hostname tcp://localhost:7000", "Goes on by itself if the connection is cut"),
            ])
        {
            words, plain, timeout, idle, tries, json,
        };
        sockets.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            (string[] files, Endpoint where) = Read(parsed.GetValue(words)!);
            Refuse(files, where, parsed.GetValue(plain));
            ClientOptions client = sockets.Read(parsed, Failure.Say);
            TimeSpan limit = parsed.GetValue(timeout).Time;
            TransferProgress progress = new("sent", parsed.GetValue(json));
            int left = parsed.GetValue(tries) ?? 1;
            int code = await TransferTries.RunAsync(left, $"send to {where}", progress, async () =>
            {
                using Socket socket = await Connector.ConnectAsync(where, limit, client, CancellationToken.None);
                await using NetworkStream connection = new(socket);
                await using IdleStream watched = new(connection, parsed.GetValue(idle).Time);
                if (parsed.GetValue(plain))
                {
                    await PlainTransfer.SendAsync(socket, watched, files[0], progress);
                }
                else
                {
                    await FileSender.SendAsync(watched, files, progress.Tell, CancellationToken.None);
                }
            });
            return TransferProgress.IsPrinted ? code : 1;
        });
        return command;
    }

    private static (string[] Files, Endpoint Where) Read(string[] words)
    {
        // nc(1) has a host and its port as two words; a file of the host's name is a file.
        bool isPair = words.Length > 2 && EndpointWord.IsHostAndPort(words[^2], words[^1]) && FileStatus.Of(words[^2]) is null;
        string[] files = isPair ? words[..^2] : words[..^1];
        string where = isPair ? EndpointWord.HostAndPort(words[^2], words[^1]) : words[^1];
        return files.Length == 0 ? throw new ArgumentException($"send takes files and behind them an ENDPOINT, {Example}")
            : !EndpointWord.IsMeant(where) && EndpointWord.IsMeant(files[0])
                ? throw new ArgumentException($"the files stand first and the ENDPOINT behind them, {Example}")
                : (files, EndpointWord.Parse(where));
    }

    /// <summary>What is wrong with a file is told before anybody is connected.</summary>
    private static void Refuse(string[] files, Endpoint where, bool plain)
    {
        if (!where.IsStream)
        {
            throw new ArgumentException($"files go over streams, tcp:// or unix://, not {where}");
        }

        if (plain && files.Length > 1)
        {
            throw new ArgumentException("--plain sends the bytes of one file");
        }

        foreach (string file in files)
        {
            try
            {
                RefuseUnreadable(file, plain);
            }
            catch (Exception failure) when (FileFailure.Is(failure))
            {
                throw new ArgumentException($"read {PrintableText.Escape(file)}: {FileFailure.Why(failure)}", failure);
            }
        }

        if (files.Select(Path.GetFileName).Distinct().Count() < files.Length)
        {
            throw new ArgumentException("two files have the same name: send them one after the other");
        }
    }

    /// <summary>A FIFO is not opened: its writer would take that for a reader.</summary>
    private static void RefuseUnreadable(string file, bool plain)
    {
        FileStatus? status = FileStatus.Of(file);
        if (status is { IsFolder: true })
        {
            throw new IOException("EISDIR (Is a directory); give the files in it");
        }

        if (status is { IsRegular: false })
        {
            _ = plain ? 0 : throw new IOException("ESPIPE (Illegal seek); it is no regular file, so give --plain");
            return;
        }

        using FileStream opened = new(SystemFile.OpenRead(file), FileAccess.Read, bufferSize: 0);
        if (!plain && opened.Length == 0 && opened.ReadByte() >= 0)
        {
            throw new IOException("the system tells no size of it, and it has bytes: give --plain");
        }
    }
}
