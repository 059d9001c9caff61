using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Doorbell.Cli.Printing;

namespace Doorbell.Cli.Verbs;

/// <summary>
/// Finds out whether somebody serves an endpoint. A stream is connected and closed. A datagram is sent and its answer waited for: an empty
/// one over UDP, and over CoAP the ping of RFC 7252 section 4.3, an empty confirmable message, which every CoAP server answers by a reset.
/// </summary>
/// <param name="timeout">Bounds resolving, connecting or the datagram's answer.</param>
/// <param name="greeting">How long to wait for a line that the service says first; 0 for not at all.</param>
/// <param name="via">Through which proxies streams are connected.</param>
internal sealed class Probe(TimeSpan timeout, TimeSpan greeting, IReadOnlyList<TunnelProxy> via)
{
    private const int MaxGreetingBytes = 1024;

    /// <summary>Version 1, confirmable, no token (RFC 7252 section 3); code 0.00; behind them two bytes of message ID.</summary>
    private const byte EmptyConfirmable = 0x40;
    private const byte EmptyReset = 0x70;

    /// <summary>Once.</summary>
    public async Task<ProbeResult> RunAsync(Endpoint endpoint, CancellationToken cancellation)
    {
        long began = Stopwatch.GetTimestamp();
        try
        {
            string? line = endpoint.IsStream
                ? await ConnectAsync(endpoint, cancellation)
                : await AskAsync(endpoint, cancellation);
            return new ProbeResult(endpoint, ProbeState.Open, Stopwatch.GetElapsedTime(began), Greeting: line);
        }
        catch (NetworkException failure)
        {
            ProbeState state = failure.Error switch
            {
                SocketError.ConnectionRefused => ProbeState.Closed,

                // Nobody has bound that path.
                _ when endpoint.IsUnix && failure.ErrnoName == "ENOENT" => ProbeState.Closed,
                SocketError.TimedOut => ProbeState.Silent,
                _ => ProbeState.Failed,
            };
            return new ProbeResult(endpoint, state, Stopwatch.GetElapsedTime(began), failure.ErrnoName, failure.Message);
        }
    }

    private async Task<string?> ConnectAsync(Endpoint endpoint, CancellationToken cancellation)
    {
        using Socket socket = await Connector.ConnectAsync(
            endpoint, timeout, ClientOptions.Default, via, cancellation);
        if (!endpoint.IsUnix && Equals(socket.LocalEndPoint, socket.RemoteEndPoint))
        {
            // The kernel chose the very port that is asked for as our own, and TCP joined the two ends of one socket (RFC 9293 section 3.5,
            // simultaneous open).
            throw NetworkException.From("connect", endpoint.ToString(), SocketError.ConnectionRefused);
        }

        return greeting > TimeSpan.Zero ? await ReadLineAsync(socket, cancellation) : null;
    }

    private async Task<string?> ReadLineAsync(Socket socket, CancellationToken cancellation)
    {
        byte[] line = new byte[MaxGreetingBytes];
        int length = 0;
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        over.CancelAfter(greeting);
        try
        {
            while (length < line.Length && !line.AsSpan(0, length).Contains((byte)'\n'))
            {
                int count = await socket.ReceiveAsync(line.AsMemory(length), over.Token);
                if (count == 0)
                {
                    break;
                }

                length += count;
            }
        }
        catch (SocketException)
        {
            // It has said what it says.
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // It has said what it says.
        }

        ReadOnlySpan<byte> said = line.AsSpan(0, length);
        int end = said.IndexOf((byte)'\n');
        said = (end < 0 ? said : said[..end]).TrimEnd((byte)'\r');
        return length == 0 ? null : PrintableText.Escape(said, MaxGreetingBytes);
    }

    /// <summary>To each address of the name in turn, with its part of the time.</summary>
    private async Task<string?> AskAsync(Endpoint endpoint, CancellationToken cancellation)
    {
        EndPoint[] addresses = await Connector.AddressesAsync(endpoint, timeout, cancellation);
        for (int i = 0; ; i++)
        {
            try
            {
                using Socket socket = Connector.ConnectDatagrams(endpoint, addresses[i]);
                return endpoint.IsUnix ? null : await AskAsync(socket, endpoint, timeout / addresses.Length, cancellation);
            }
            catch (NetworkException) when (i < addresses.Length - 1)
            {
                // The next address may be served.
            }
        }
    }

    /// <summary>It has the message ID of what it answers.</summary>
    private static bool IsResetOf(ReadOnlySpan<byte> ping, ReadOnlySpan<byte> answer) =>
        answer.Length == ping.Length && answer[0] == EmptyReset && answer[1..].SequenceEqual(ping[1..]);

    private static async Task<string?> AskAsync(Socket socket, Endpoint endpoint, TimeSpan patience, CancellationToken cancellation)
    {
        bool isCoap = endpoint.Application is not null;
        byte[] datagram = isCoap ? [EmptyConfirmable, 0, 0, 0] : [];
        byte[] answer = new byte[ushort.MaxValue];
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        over.CancelAfter(patience);
        try
        {
            if (isCoap)
            {
                BinaryPrimitives.WriteUInt16BigEndian(datagram.AsSpan(2), (ushort)Random.Shared.Next());
            }

            await socket.SendAsync(datagram, over.Token);
            while (true)
            {
                int count = await socket.ReceiveAsync(answer, over.Token);
                if (!isCoap || IsResetOf(datagram, answer.AsSpan(0, count)))
                {
                    return null;
                }
            }
        }
        catch (SocketException failure)
        {
            throw NetworkException.From("receive", endpoint.ToString(), failure);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw NetworkException.From("receive", endpoint.ToString(), SocketError.TimedOut);
        }
    }
}
