using Doorbell.Cli.Input;
using Doorbell.Cli.Printing;
using Doorbell.Coap;

namespace Doorbell.Cli.Verbs;

/// <summary>What <c>ask coap://HOST/PATH</c> asks: one connection for all questions, so that what round trips take is known.</summary>
internal sealed class CoapQuestions
{
    private static readonly Dictionary<string, CoapCode> _methods = new(StringComparer.OrdinalIgnoreCase)
    {
        ["GET"] = CoapCode.Get,
        ["POST"] = CoapCode.Post,
        ["PUT"] = CoapCode.Put,
        ["DELETE"] = CoapCode.Delete,
        ["FETCH"] = CoapCode.Fetch,
    };

    private static readonly TimeSpan _timeout = TimeSpan.FromSeconds(5);

    /// <summary>The servers of a group answer within 5 seconds (RFC 7252 section 8.2), and the way takes its time.</summary>
    private static readonly TimeSpan _groupTimeout = TimeSpan.FromSeconds(7);

    private readonly CoapUri _uri;
    private readonly CoapClientRequest _request;

    /// <summary>The proxies through which a TCP connection is made.</summary>
    public IReadOnlyList<TunnelProxy> Via { get; init; } = [];

    public CoapQuestions(CoapUri uri, string method, bool isConfirmable)
    {
        if (!_methods.TryGetValue(method, out CoapCode code))
        {
            throw new ArgumentException($"--method takes {string.Join(", ", _methods.Keys)}, not \"{PrintableText.Escape(method)}\"");
        }

        _uri = uri;
        _request = new CoapClientRequest
        {
            Method = code,
            Path = uri.Path,
            Query = uri.Query,
            Host = uri.HostName,

            // A group is asked by non-confirmable requests alone, since each member would have to acknowledge (RFC 7252 section 8.1).
            IsConfirmable = isConfirmable && !uri.IsGroup,
        };
    }

    /// <summary>Observes the resource; <see cref="CoapObservation"/> has the parameters.</summary>
    /// <exception cref="ArgumentException">There is a text, or the server is a group.</exception>
    public Task<int> ObserveAsync(
        string? text, int? count, ReplyPrinter printer, TimeSpan limit, bool boundsAll, ClientOptions options)
    {
        if (text is not null)
        {
            throw new ArgumentException("--observe asks by GET, without a body: leave out the text and --method");
        }

        return _uri.IsGroup
            ? throw new ArgumentException("--observe takes one server: name its address in the place of the group's")
            : new CoapObservation(_uri, _request with { Method = CoapCode.Get }, count, Via).RunAsync(printer, limit, boundsAll, options);
    }

    /// <summary>Whether it asks by GET.</summary>
    public bool IsGet => _request.Method == CoapCode.Get;

    private bool HasBody => _request.Method != CoapCode.Get && _request.Method != CoapCode.Delete;

    /// <summary>Asks, and prints the answers.</summary>
    /// <param name="text">The body; null for each line of standard input.</param>
    /// <param name="printer">Prints an answer.</param>
    /// <param name="limit">Bounds each question; null for the default.</param>
    /// <param name="options">How to make the socket.</param>
    /// <returns>The exit code.</returns>
    public async Task<int> AskAsync(string? text, ReplyPrinter printer, TimeSpan? limit, ClientOptions options)
    {
        TimeSpan timeout = limit ?? (_uri.IsGroup ? _groupTimeout : _timeout);
        if (!HasBody && text is not null)
        {
            throw new ArgumentException("GET and DELETE have no body: leave the text out, or use --method POST");
        }

        if (_uri.IsGroup)
        {
            return await AskGroupAsync(text, printer, timeout, options);
        }

        await using CoapConnection connection = await CoapConnection.ConnectAsync(_uri, notified: null, timeout, options, Via);
        if (!HasBody)
        {
            return await AskAsync(connection, default, printer, timeout);
        }

        await foreach (ReadOnlyMemory<byte> body in Questions.Datagrams(text, LineEnd.AsGiven))
        {
            if (await AskAsync(connection, body, printer, timeout) is not 0 and int code)
            {
                return code;
            }
        }

        return 0;
    }

    private async Task<int> AskGroupAsync(string? text, ReplyPrinter printer, TimeSpan timeout, ClientOptions options)
    {
        CoapGroupQuestion question = new(_uri, _request);
        printer.NamesPeers = true;
        if (!HasBody)
        {
            return await question.AskAsync(default, printer, timeout, options);
        }

        int code = 0;
        await foreach (ReadOnlyMemory<byte> body in Questions.Datagrams(text, LineEnd.AsGiven))
        {
            code = Math.Max(code, await question.AskAsync(body, printer, timeout, options));
        }

        return code;
    }

    /// <summary>Asks one question and prints its answer.</summary>
    /// <returns>The exit code.</returns>
    private async Task<int> AskAsync(CoapConnection connection, ReadOnlyMemory<byte> body, ReplyPrinter printer, TimeSpan timeout)
    {
        using CancellationTokenSource limit = new(timeout);
        CoapClientResponse answer = await connection.AskAsync(_request with { Body = body }, timeout, CancellationToken.None);
        if (answer.Code.Class != 2)
        {
            return Failure.Network(CoapRefusal.Of(_uri, answer));
        }

        await printer.PrintDatagramAsync(answer.Body, connection.Peer, answer.Sends, answer.Elapsed, limit.Token);
        return 0;
    }
}
