using System.Threading.Channels;
using Doorbell.Cli.Printing;
using Doorbell.Coap;
using CoapSocket = Doorbell.RequestClient<Doorbell.Coap.CoapClientRequest, Doorbell.Coap.CoapClientResponse>;

namespace Doorbell.Cli.Verbs;

/// <summary>
/// What <c>ask coap://224.0.1.187/PATH</c> does: it asks the servers of a group, and prints their answers until time is up (RFC 7252
/// section 8). A server whose answer is larger than a datagram, or that wants its client's address proved, is asked again by itself.
/// </summary>
internal sealed class CoapGroupQuestion(CoapUri uri, CoapClientRequest request)
{
    /// <summary>Most answers that are printed: each is remembered, so that a doubled one is printed once.</summary>
    private const int MaxAnswers = 1024;

    private int _left;

    /// <summary>Asks, and prints what is answered until then.</summary>
    /// <returns>The exit code: 0 if one has answered.</returns>
    public async Task<int> AskAsync(ReadOnlyMemory<byte> body, ReplyPrinter printer, TimeSpan timeout, ClientOptions options)
    {
        Channel<CoapClientResponse> answers = Channel.CreateBounded<CoapClientResponse>(
            new BoundedChannelOptions(MaxAnswers) { FullMode = BoundedChannelFullMode.DropWrite }, _ => Interlocked.Increment(ref _left));
        using CancellationTokenSource over = new(timeout);
        await using CoapSocket connection = await RequestClient.ConnectAsync(
            uri.Endpoint,
            socket => new CoapClientHandler(socket, CoapClientLimits.Default)
            {
                Notified = (_, answer) => answers.Writer.TryWrite(answer),
            },
            timeout,
            options,
            CancellationToken.None);
        Task asked = WaitAsync(connection, body, answers.Writer, over.Token);
        HashSet<(PeerAddress From, string Body)> heard = [];
        int printed = 0;
        await foreach (CoapClientResponse answer in answers.Reader.ReadAllAsync())
        {
            bool isNew = heard.Count < MaxAnswers && heard.Add((answer.From, Convert.ToBase64String(answer.Body)));
            if (isNew && await WholeAsync(answer, timeout, options) is { } whole)
            {
                await printer.PrintDatagramAsync(whole.Body, answer.From, whole.Sends, whole.Elapsed, CancellationToken.None);
                printed++;
            }
        }

        await asked;
        if (_left > 0)
        {
            Failure.Say($"{_left} answers came faster than they were printed, and were left out");
        }

        return printed > 0 ? 0 : Failure.Network(
            $"ask {uri}: no server of the group answered within {timeout.TotalSeconds:0.###} s; servers answer within 5 s, and do not "
                + "answer what they don't have; name the interface with --interface");
    }

    private async Task WaitAsync(
        CoapSocket connection, ReadOnlyMemory<byte> body, ChannelWriter<CoapClientResponse> answers, CancellationToken over)
    {
        try
        {
            await connection.AskAsync(
                request with { Body = body, IsConfirmable = false, Collects = true }, Timeout.InfiniteTimeSpan, over);
        }
        catch (OperationCanceledException)
        {
            // Time is up, as it should be.
        }
        finally
        {
            answers.Complete();
        }
    }

    /// <summary>The answer, or the whole one, asked of its server alone; null if that has none.</summary>
    private async Task<CoapClientResponse?> WholeAsync(CoapClientResponse answer, TimeSpan timeout, ClientOptions options)
    {
        bool isGet = request.Method == CoapCode.Get;
        if (answer.Code.Class == 2 && !(answer.IsCut && isGet))
        {
            if (answer.IsCut)
            {
                Failure.Say($"the answer of {answer.From} goes on behind its first {answer.Body.Length} bytes");
            }

            return answer;
        }

        if (answer.Code != CoapCode.Unauthorized && answer.Code.Class != 2)
        {
            return null;
        }

        try
        {
            await using CoapSocket alone = await RequestClient.ConnectAsync(
                Endpoint.From(Transport.Udp, answer.From.ToIPEndPoint()),
                static socket => new CoapClientHandler(socket, CoapClientLimits.Default),
                timeout,
                options,
                CancellationToken.None);
            CoapClientResponse whole = await alone.AskAsync(request with { IsConfirmable = true }, timeout, CancellationToken.None);
            return whole.Code.Class == 2 ? whole : null;
        }
        catch (NetworkException unreachable)
        {
            Failure.Say($"{answer.From} has answered the group, and not the question to it alone: {unreachable.Message}");
            return null;
        }
    }
}
