using System.Diagnostics;
using System.Net.Sockets;
using Doorbell.Cli.Arguments;
using Doorbell.Cli.Input;
using Doorbell.Cli.Printing;

namespace Doorbell.Cli.Verbs;

/// <summary>Questions that are lines, to a server over a stream.</summary>
/// <param name="endpoint">Who is asked.</param>
/// <param name="connecting">How the sockets are made.</param>
/// <param name="dialogue">Who begins, and where a reply ends.</param>
/// <param name="printer">Prints the replies.</param>
/// <param name="timeout">Bounds connecting, and each question.</param>
/// <param name="tries">How often connecting is tried.</param>
internal sealed class StreamQuestions(
    Endpoint endpoint,
    Connecting connecting,
    StreamDialogue dialogue,
    ReplyPrinter printer,
    TimeSpan timeout,
    int tries)
{
    /// <summary>Asks and prints.</summary>
    /// <param name="questions">Without their ends of line.</param>
    /// <returns>The exit code.</returns>
    public async Task<int> AskAsync(IAsyncEnumerable<ReadOnlyMemory<byte>> questions)
    {
        StreamClient? client = await ConnectAsync();
        try
        {
            await foreach (ReadOnlyMemory<byte> question in questions)
            {
                client ??= await ConnectAsync();
                await AskAsync(client, question);
                if (dialogue.Reconnects || dialogue.HalfCloses)
                {
                    client.Dispose();
                    client = null;
                }
            }
        }
        finally
        {
            client?.Dispose();
        }

        return 0;
    }

    /// <summary>Carries out a script in the place of questions.</summary>
    /// <param name="script">What is sent and expected.</param>
    /// <param name="text">The question that was given, which a script has no place for.</param>
    /// <param name="end">How its end was asked for, as well.</param>
    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(Script script, string? text, LineEnd end)
    {
        if (text is not null || end == LineEnd.CrLf || printer.IsJson || printer.IsRaw)
        {
            string what = text is not null ? "a TEXT" : end == LineEnd.CrLf ? "--crlf" : printer.IsJson ? "--json" : "--raw";
            throw new ArgumentException($"--script and {what} exclude each other: the script says all that is sent and expected");
        }

        using Socket socket = await ConnectTries.RunAsync(
            tries, timeout, left => connecting.ConnectAsync(endpoint, left));
        using StandardOutput output = new(escape: !Console.IsOutputRedirected);
        ScriptDialogue told = new(script, socket, endpoint.ToString(), output, timeout) { Sockets = connecting.Sockets };
        return await told.RunAsync() is { } failure ? Failure.Network(failure) : 0;
    }

    private async Task<StreamClient> ConnectAsync()
    {
        MessageClientOptions options = MessageClientOptions.Default with
        {
            Sockets = connecting.Sockets,
            Connect = (left, _) => connecting.ConnectAsync(endpoint, left),
            ReadsGreeting = dialogue.ReadsGreeting,
            IsLastLine = dialogue.LastLine is { } last ? line => last.IsLine(line) : null,
            HalfCloses = dialogue.HalfCloses,
            KeepsCarriageReturn = printer.IsRaw,
        };
        StreamClient client = await ConnectTries.RunAsync(
            tries, timeout, left => StreamClient.ConnectAsync(endpoint, options with { ConnectTimeout = left }, CancellationToken.None));
        if (dialogue.ReadsGreeting)
        {
            Failure.Say($"the server's greeting: {PrintableText.Escape(client.Greeting.Span)}");
        }

        return client;
    }

    /// <summary>Asks one line and prints its reply; what came of it is printed however it ends.</summary>
    private async Task AskAsync(StreamClient client, ReadOnlyMemory<byte> question)
    {
        long began = Stopwatch.GetTimestamp();
        using CancellationTokenSource limit = new(timeout);
        try
        {
            byte[] last = printer.IsJson
                ? await client.AskAsync(question, timeout, CancellationToken.None)
                : await client.AskAsync(question, printer.PrintPieceAsync, timeout, CancellationToken.None);
            await PrintAsync(last);
        }
        catch (NetworkException failure)
        {
            byte[] rest = failure is IncompleteReplyException incomplete ? [.. incomplete.Reply] : [];
            if (printer.HasBegun || rest.Length > 0)
            {
                await PrintAsync(rest);
            }

            throw;
        }

        Task PrintAsync(byte[] rest) => printer.PrintAsync(rest, client.Peer, tries: 1, Stopwatch.GetElapsedTime(began), limit.Token);
    }
}
