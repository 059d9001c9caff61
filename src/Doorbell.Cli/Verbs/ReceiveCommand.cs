using System.CommandLine;
using Doorbell.Cli.Arguments;
using Doorbell.Cli.Ends;
using Doorbell.Cli.Input;
using Doorbell.Cli.Printing;
using Doorbell.Files;
using Doorbell.Native;

namespace Doorbell.Cli.Verbs;

/// <summary><c>doorbell receive ENDPOINT [DIR]</c>: files from <c>doorbell send</c>, or the bytes of any client.</summary>
internal static class ReceiveCommand
{
    private const int MaxConnections = 16;
    private const string Example = "as in receive tcp://localhost:7000 inbox";

    private static readonly TimeSpan _drain = TimeSpan.FromSeconds(1);

    public static Verb Make()
    {
        Argument<string[]> words = new("ENDPOINT")
        {
            Description = "Where senders come to: tcp://host:port or unix:///path; and the folder that the files get into [default: .]",
            HelpName = "ENDPOINT [DIR]",
            Arity = new ArgumentArity(1, 3),
        };
        Option<bool> force = new("--force")
        {
            Description = "Replace a file of the same name that is there [default: refuse it, unless its bytes are the same]",
        };
        Option<bool> keep = new("--keep") { Description = "Go on after the first sender, until interrupted" };
        Option<bool> plain = new("--plain")
        {
            Description = "Write the bytes of one connection to standard output, as nc -l does, and end",
        };
        Option<Duration> idle = CommonOptions.Wait("--idle-timeout", "Take a connection for cut if no byte moves for so long", 60);
        Option<bool> json = new("--json") { Description = "Print events as JSON, one a line" };
        Verb command = new(
            "receive",
            "Receive files from doorbell send; what was cut goes on where it was",
            [
                new("doorbell receive tcp://localhost:7000", "Takes the files of one sender into this folder, and ends"),
                new("doorbell receive --keep --force tcp://localhost:7000 /tmp", "Takes files from all who come, newer ones too"),
            ])
        {
            words, force, keep, plain, idle, json,
        };
        command.SetAction((parsed, _) =>
        {
            (Endpoint where, string into) = Read(parsed.GetValue(words)!);
            if (!where.IsStream)
            {
                throw new ArgumentException($"files come over streams, tcp:// or unix://, not {where}");
            }

            if (!parsed.GetValue(plain) && FileStatus.Of(into) is not { IsFolder: true })
            {
                throw new ArgumentException($"{PrintableText.Escape(into)} is no folder: make it first");
            }

            if (parsed.GetValue(plain) && (parsed.GetValue(force) || parsed.GetValue(keep) || parsed.GetValue(json)))
            {
                throw new ArgumentException("--plain writes bytes to standard output: leave out --force, --keep and --json");
            }

            FileReceiver? receiver = parsed.GetValue(plain) ? null : new FileReceiver(into, parsed.GetValue(force));
            return RunAsync(where, receiver, parsed.GetValue(keep), parsed.GetValue(idle).Time, parsed.GetValue(json));
        });
        return command;
    }

    private static (Endpoint Where, string Folder) Read(string[] words)
    {
        bool isPair = words.Length > 1 && EndpointWord.IsHostAndPort(words[0], words[1]);
        string where = isPair ? EndpointWord.HostAndPort(words[0], words[1]) : words[0];
        string[] rest = words[(isPair ? 2 : 1)..];
        return rest.Length > 1 ? throw new ArgumentException($"receive takes one folder, {Example}")
            : rest.Length == 1 && !EndpointWord.IsMeant(where) && EndpointWord.IsMeant(rest[0])
                ? throw new ArgumentException($"the ENDPOINT stands first and the folder behind it, {Example}")
                : (EndpointWord.Parse(where), rest is [var folder] ? folder : ".");
    }

    /// <param name="endpoint">Where.</param>
    /// <param name="receiver">Takes the files; null to write bytes to standard output.</param>
    /// <param name="keeps">Whether one sender is not enough.</param>
    /// <param name="idle">When a connection is cut.</param>
    /// <param name="json">Whether programs read what is printed.</param>
    private static async Task<int> RunAsync(Endpoint endpoint, FileReceiver? receiver, bool keeps, TimeSpan idle, bool json)
    {
        StopSignals.Listen();
        TransferProgress progress = new("received", json);
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(StopSignals.First);
        using StandardOutput? output = receiver is null ? new StandardOutput(escape: !Console.IsOutputRedirected) : null;
        bool isWhole = false;
        bool isLost = false;
        Service service = Service.Stream("receive", async connection =>
        {
            await using DuplexPipeStream both = new(connection);
            await using IdleStream watched = new(both, idle);
            try
            {
                if (await ReceiveAsync(watched, connection.Peer, receiver, output, progress) && !keeps)
                {
                    isWhole = true;
                    await connection.Output.CompleteAsync();
                    await over.CancelAsync();
                }
            }
            catch (StandardStreamException failure)
            {
                isLost = true;
                Failure.Post(failure.Message);
                await over.CancelAsync();
                throw;
            }
        });
        ServerOptions options = new()
        {
            Service = service with
            {
                StreamLimits = service.StreamLimits with
                {
                    IdleTimeout = Timeout.InfiniteTimeSpan, FirstByteTimeout = Timeout.InfiniteTimeSpan,
                },
            },
            Endpoints = [endpoint],
            Model = ServerModel.Async,
            MaxConnections = receiver is null ? 1 : MaxConnections,
            AtLimit = AtLimit.LeaveInBacklog,
        };
        await using Server server = await Server.StartAsync(options, over.Token);
        foreach (Door door in receiver is null ? [] : server.Doors)
        {
            JsonLine.Print(
                json,
                $"receiving on {door.Endpoint}",
                writer =>
                {
                    writer.WriteString("event", "listening");
                    writer.WriteString("endpoint", door.Endpoint.ToString());
                });
        }

        await server.RunAsync(_drain, over.Token);
        progress.End();
        return isLost || !TransferProgress.IsPrinted ? 1 : isWhole || keeps ? 0 : StopSignals.EndProcess();
    }

    /// <summary>Whether a sender has sent all.</summary>
    private static async Task<bool> ReceiveAsync(
        Stream connection, PeerAddress peer, FileReceiver? receiver, StandardOutput? output, TransferProgress progress)
    {
        try
        {
            await (receiver is null
                ? PlainTransfer.ReceiveAsync(connection, output!)
                : receiver.ReceiveAsync(connection, progress.Tell, CancellationToken.None));

            return true;
        }
        catch (TransferException failure)
        {
            progress.End();
            Failure.Post($"receive from {peer}: {failure.Message}{(failure.IsCut ? "; the sender may go on where it was" : "")}");
            return false;
        }
    }
}
