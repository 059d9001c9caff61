using System.Net;
using System.Net.Sockets;
using Doorbell.Cli.Input;
using Doorbell.Cli.Printing;

namespace Doorbell.Cli.Verbs;

/// <summary>Whoever comes to a listener, joined to standard input and output or to a program.</summary>
internal sealed class ListenedPeers(Listener listener)
{
    private readonly string _name = string.Join(" and ", listener.Endpoints);

    /// <summary>Whether the next one is taken when one has ended; otherwise who comes later is refused.</summary>
    public bool Keeps { get; init; }

    /// <summary>How long to wait for somebody; null for ever.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>A connection ends if no byte moves for so long; null for never.</summary>
    public TimeSpan? IdleTimeout { get; init; }

    /// <summary>Is told what is sent and what has come.</summary>
    public Transfers Transfers { get; init; } = Transfers.Unseen;

    /// <summary>Whether standard error says who comes.</summary>
    public bool Tells { get; init; }

    /// <summary>Joins a program to the first who comes, and becomes that program.</summary>
    /// <returns>The exit code if nobody comes.</returns>
    public async Task<int> JoinProgramAsync(ServiceProgram program)
    {
        if (listener.Endpoints[0].IsStream)
        {
            if (await NextAsync() is { } connection)
            {
                Endpoint endpoint = EndpointOf(connection);
                listener.Dispose();
                JoinedProgram.Become(program, connection, endpoint);
            }
        }
        else if (await new ListenedDatagrams(listener).FirstAsync(Timeout) is { } first)
        {
            Tell(first.Endpoint, first.Peer);
            first.Connect();
            JoinedProgram.Become(program, first.Socket, first.Endpoint);
        }

        return NobodyCame();
    }

    /// <summary>Joins one connection after the other, or the first alone.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> JoinStreamsAsync(StreamInput input, StandardOutput output)
    {
        while (await NextAsync() is { } next)
        {
            using Socket connection = next;
            string target = $"{EndpointOf(connection)} from {Listener.PeerOf(connection)}";
            if (!Keeps)
            {
                listener.Dispose();
            }

            int code = await new StreamJoin("listen", target, connection, input, output)
            {
                IdleTimeout = IdleTimeout, Transfers = Transfers,
            }.RunAsync();
            if (Tells)
            {
                Failure.Post($"{target}: ended");
            }

            if (!Keeps || input.ReadFailure is not null)
            {
                return code;
            }
        }

        return NobodyCame();
    }

    /// <summary>Joins the first who sends a datagram, or everyone who does.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> JoinDatagramsAsync(JoinedInput input, StandardOutput output)
    {
        using ListenedDatagrams datagrams = new(listener) { IdleTimeout = IdleTimeout, Transfers = Transfers, Came = Tell };
        if (await datagrams.FirstAsync(Timeout) is not { } first)
        {
            return NobodyCame();
        }

        string? failure = await datagrams.JoinAsync(first, Keeps, input, output);
        return failure is null ? 0 : Failure.Network(failure);
    }

    /// <summary>The next connection; null if none comes in time.</summary>
    private async Task<Socket?> NextAsync()
    {
        using CancellationTokenSource patience = new();
        if (Timeout is { } bound)
        {
            patience.CancelAfter(bound);
        }

        try
        {
            Socket connection = await listener.AcceptAsync(patience.Token);
            Tell(EndpointOf(connection), Listener.PeerOf(connection));
            return connection;
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            return null;
        }
    }

    private void Tell(Endpoint endpoint, PeerAddress peer)
    {
        if (Tells)
        {
            Failure.Post($"{endpoint}: {(endpoint.IsStream ? "connection" : "datagram")} from {peer}");
        }
    }

    private int NobodyCame() => Failure.Network(
        $"listen {_name}: nobody {(listener.Endpoints[0].IsStream ? "connected" : "sent anything")} within "
            + $"{Timeout!.Value.TotalSeconds:0.###} s");

    private Endpoint EndpointOf(Socket connection) => connection.LocalEndPoint is IPEndPoint ip
        ? Endpoint.From(Transport.Tcp, ip)
        : listener.Endpoints.First(static endpoint => endpoint.IsUnix);
}
