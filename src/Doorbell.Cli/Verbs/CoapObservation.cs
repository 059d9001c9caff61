using System.Threading.Channels;
using Doorbell.Cli.Printing;
using Doorbell.Coap;

namespace Doorbell.Cli.Verbs;

/// <summary>What <c>ask --observe coap://HOST/PATH</c> does: it prints each state of a resource until it has seen enough.</summary>
/// <param name="uri">The resource.</param>
/// <param name="request">Asks for it.</param>
/// <param name="count">Most states; null for any number.</param>
/// <param name="via">The proxies through which a TCP connection is made.</param>
internal sealed class CoapObservation(CoapUri uri, CoapClientRequest request, int? count, IReadOnlyList<TunnelProxy> via)
{
    /// <summary>States that wait to be printed. With one more the oldest is left out: it is not the present state any more.</summary>
    private const int MaxWaiting = 1024;

    /// <summary>So long the server has to take the word that nobody observes any more.</summary>
    private static readonly TimeSpan _lastWord = TimeSpan.FromSeconds(3);

    /// <summary>The same where the time is over.</summary>
    private static readonly TimeSpan _lateWord = TimeSpan.FromMilliseconds(200);

    private bool _isObserved;
    private int _skipped;

    /// <summary>Observes until the count, the time, or a signal.</summary>
    /// <param name="printer">Prints each state.</param>
    /// <param name="limit">Bounds the wait for the first state.</param>
    /// <param name="boundsAll">Whether it bounds all of it.</param>
    /// <param name="options">How to make the socket.</param>
    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(ReplyPrinter printer, TimeSpan limit, bool boundsAll, ClientOptions options)
    {
        StopSignals.Listen();
        Channel<CoapClientResponse> states = Channel.CreateBounded<CoapClientResponse>(
            new BoundedChannelOptions(MaxWaiting) { FullMode = BoundedChannelFullMode.DropOldest },
            _ => Interlocked.Increment(ref _skipped));
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(StopSignals.First);
        over.CancelAfter(limit);
        void Notified(CoapClientRequest asked, CoapClientResponse state)
        {
            if (!_isObserved && !boundsAll)
            {
                over.CancelAfter(Timeout.InfiniteTimeSpan);
            }

            Volatile.Write(ref _isObserved, true);
            states.Writer.TryWrite(state);
        }

        await using CoapConnection connection = await CoapConnection.ConnectAsync(uri, Notified, limit, options, via);
        Task<CoapClientResponse?> ended = EndAsync(AskAsync(connection, limit, over.Token), states.Writer);
        int printed = await PrintAsync(states.Reader, printer);
        bool isLate = over.IsCancellationRequested && !StopSignals.First.IsCancellationRequested;
        await over.CancelAsync();
        CoapClientResponse? last = await ended;
        await connection.DrainAsync(isLate ? _lateWord : _lastWord);
        if (_skipped > 0)
        {
            Failure.Say($"{_skipped} states came faster than they were printed, and were left out");
        }

        return last is null && isLate && printed < count
                ? Failure.Network(
                    $"observe {uri}: {printed} of {count} states came within {limit.TotalSeconds:0.###} s: allow more with --timeout, "
                        + "or give --count less")
            : last is null || printed == count ? 0
            : last.Code.Class != 2 ? Failure.Network(CoapRefusal.Of(uri, last))
            : await PrintLastAsync(last, connection.Peer, printer, printed);
    }

    /// <summary>Asks until there is an end.</summary>
    /// <returns>The answer by which the server ended it; null if we did.</returns>
    private async Task<CoapClientResponse?> AskAsync(CoapConnection connection, TimeSpan limit, CancellationToken over)
    {
        try
        {
            return await connection.AskAsync(request with { Observes = true }, Timeout.InfiniteTimeSpan, over);
        }
        catch (OperationCanceledException) when (StopSignals.First.IsCancellationRequested || Volatile.Read(ref _isObserved))
        {
            return null;
        }
        catch (OperationCanceledException)
        {
            throw new NetworkException(
                "receive",
                uri.Endpoint.ToString(),
                $"no answer within {limit.TotalSeconds:0.###} s",
                System.Net.Sockets.SocketError.TimedOut,
                uri.Endpoint.IsStream
                    ? "allow more time, or look whether the server answers, and whether it speaks CoAP over TCP"
                    : "datagrams can get lost, and at first contact one costs 2 to 3 s: allow more time, or look whether the server "
                        + "answers");
        }
    }

    private static async Task<CoapClientResponse?> EndAsync(Task<CoapClientResponse?> asked, ChannelWriter<CoapClientResponse> states)
    {
        try
        {
            return await asked;
        }
        finally
        {
            states.Complete();
        }
    }

    /// <returns>How many were printed.</returns>
    private async Task<int> PrintAsync(ChannelReader<CoapClientResponse> states, ReplyPrinter printer)
    {
        int printed = 0;
        await foreach (CoapClientResponse state in states.ReadAllAsync())
        {
            await printer.PrintDatagramAsync(state.Body, state.From, state.Sends, state.Elapsed, CancellationToken.None);
            if (++printed == count)
            {
                break;
            }
        }

        return printed;
    }

    /// <summary>The server has answered, and observes nothing.</summary>
    private async Task<int> PrintLastAsync(CoapClientResponse last, PeerAddress peer, ReplyPrinter printer, int printed)
    {
        await printer.PrintDatagramAsync(last.Body, peer, last.Sends, last.Elapsed, CancellationToken.None);
        return printed + 1 == count ? 0 : Failure.Network(
            $"observe {uri}: the server answered, but does not tell changes{(printed > 0 ? " any more" : "")}; "
                + "`doorbell ask --method GET` asks once");
    }
}
