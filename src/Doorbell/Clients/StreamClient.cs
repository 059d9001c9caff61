using System.Net;
using System.Net.Sockets;
using Doorbell.Native;
using Doorbell.Sessions;

namespace Doorbell;

/// <summary>The classic client of a line service: one connection, one question after the other.</summary>
/// <remarks>One question at a time; not safe for several threads.</remarks>
public sealed class StreamClient : IDisposable
{
    /// <summary>A reply longer than this without an end is refused.</summary>
    private const int MaxReplyBytes = 64 * 1024 * 1024;

    private const int FirstBufferBytes = 4096;

    private readonly Endpoint _endpoint;
    private readonly Socket _socket;
    private byte[] _buffer = new byte[FirstBufferBytes];
    private int _count;

    /// <summary>Bytes at the front of the buffer known to hold no end of a reply, so that a long one is searched once.</summary>
    private int _searched;

    private StreamClient(Endpoint endpoint, Socket socket)
    {
        _endpoint = endpoint;
        _socket = socket;
        Peer = socket.RemoteEndPoint as IPEndPoint is { } ip ? PeerAddress.From(ip) : PeerAddress.FromUnix(endpoint.Path);
    }

    /// <summary>The address that answered.</summary>
    public PeerAddress Peer { get; }

    /// <summary>Connects; see <see cref="Connector.ConnectAsync(Endpoint, TimeSpan, CancellationToken)"/>.</summary>
    /// <param name="endpoint">A TCP or unix stream endpoint.</param>
    /// <param name="timeout">Bounds resolving and connecting together.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="NetworkException">No address answered.</exception>
    public static Task<StreamClient> ConnectAsync(Endpoint endpoint, TimeSpan timeout, CancellationToken cancellation) =>
        ConnectAsync(endpoint, timeout, ClientOptions.Default, cancellation);

    /// <summary>Connects; see <see cref="Connector.ConnectAsync(Endpoint, TimeSpan, ClientOptions, CancellationToken)"/>.</summary>
    /// <param name="endpoint">A TCP or unix stream endpoint.</param>
    /// <param name="timeout">Bounds resolving and connecting together.</param>
    /// <param name="options">How to make the sockets.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="NetworkException">No address answered, or the kernel refuses an option.</exception>
    /// <exception cref="ArgumentException">An option has no effect on the endpoint.</exception>
    public static async Task<StreamClient> ConnectAsync(
        Endpoint endpoint, TimeSpan timeout, ClientOptions options, CancellationToken cancellation) =>
        new(endpoint, await Connector.ConnectAsync(endpoint, timeout, options, cancellation).ConfigureAwait(false));

    /// <summary>Sends one line in one write and waits for one reply, however it is cut and ended; see <see cref="LineReply"/>.</summary>
    /// <param name="line">Without its end; an LF is added.</param>
    /// <param name="timeout">Bounds the whole exchange.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>The reply without its end.</returns>
    /// <exception cref="ArgumentException">The line holds an LF or a NUL, which end it: it would be several questions.</exception>
    /// <exception cref="NetworkException">
    /// The connection failed or ended first, or time ran out; <see cref="IncompleteReplyException.Reply"/> has what came of a reply.
    /// </exception>
    public async Task<byte[]> AskAsync(ReadOnlyMemory<byte> line, TimeSpan timeout, CancellationToken cancellation)
    {
        if (line.Span.ContainsAny((byte)'\n', (byte)0))
        {
            throw new ArgumentException("a line to ask can't hold an LF or a NUL, which end it; use Connector.ConnectAsync for other bytes");
        }

        using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(timeout);

        // Both at once: a server answers a long line while it is still coming, and stops taking it if nobody takes the answer.
        byte[] question = [.. line.Span, (byte)'\n'];
        Task<SocketException?> sending = SendAllAsync(question, deadline.Token);
        try
        {
            return await ReadReplyAsync(deadline.Token).ConfigureAwait(false);
        }
        catch (SocketException failure)
        {
            SocketException? first = sending.IsCompletedSuccessfully ? await sending.ConfigureAwait(false) : null;
            throw NetworkException.From(first is null ? "receive" : "send", _endpoint.ToString(), first ?? failure);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            byte[] partial = LineReply.AtEnd(_buffer.AsSpan(0, _count)).ToArray();
            string came = partial.Length == 0 ? "no reply" : $"the reply has no end after {partial.Length} bytes";
            string target = _endpoint.ToString();
            throw new IncompleteReplyException(
                "receive",
                target,
                $"{came} within {timeout.TotalSeconds:0.###} s",
                SocketError.TimedOut,
                Advice.For("receive", SocketError.TimedOut, target),
                partial);
        }
        finally
        {
            await deadline.CancelAsync().ConfigureAwait(false);
            await sending.ConfigureAwait(false);
        }
    }

    /// <summary>Closes the connection.</summary>
    public void Dispose() => _socket.Dispose();

    /// <summary>
    /// Sends all, or as much as the server takes before its reply is here. A failure matters only if no reply comes: a server that
    /// has said all it has to say may close without reading.
    /// </summary>
    private async Task<SocketException?> SendAllAsync(ReadOnlyMemory<byte> bytes, CancellationToken over)
    {
        try
        {
            while (!bytes.IsEmpty)
            {
                bytes = bytes[await _socket.SendAsync(bytes, SocketFlags.None, over).ConfigureAwait(false)..];
            }

            return null;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
        catch (SocketException failure)
        {
            return failure;
        }
    }

    private async ValueTask<byte[]> ReadReplyAsync(CancellationToken deadline)
    {
        while (true)
        {
            if (TakeReply() is { } reply)
            {
                return reply;
            }

            MakeRoom();
            int received = await _socket.ReceiveAsync(_buffer.AsMemory(_count), SocketFlags.None, deadline).ConfigureAwait(false);
            if (received == 0)
            {
                return ReplyAtEnd();
            }

            _count += received;
        }
    }

    private byte[]? TakeReply()
    {
        bool hasEnd = _buffer.AsSpan(_searched, _count - _searched).ContainsAny((byte)'\n', (byte)0);
        _searched = _count;
        if (!hasEnd)
        {
            return null;
        }

        int consumed = LineReply.TryRead(_buffer.AsSpan(0, _count), out ReadOnlySpan<byte> reply);
        if (consumed == 0)
        {
            return null;
        }

        byte[] whole = reply.ToArray();
        _count -= consumed;
        _searched = 0;
        _buffer.AsSpan(consumed, _count).CopyTo(_buffer);
        return whole;
    }

    private byte[] ReplyAtEnd()
    {
        ReadOnlySpan<byte> reply = LineReply.AtEnd(_buffer.AsSpan(0, _count));
        if (reply.IsEmpty)
        {
            throw new NetworkException(
                "receive",
                _endpoint.ToString(),
                "the server closed the connection without a reply",
                SocketError.Disconnecting,
                "it may take one line a connection, or have stopped");
        }

        byte[] whole = reply.ToArray();
        _count = _searched = 0;
        return whole;
    }

    private void MakeRoom()
    {
        if (_count < _buffer.Length)
        {
            return;
        }

        if (_count >= MaxReplyBytes)
        {
            throw new NetworkException(
                "receive",
                _endpoint.ToString(),
                $"the reply has no end after {_count} bytes",
                SocketError.MessageSize,
                "use Connector.ConnectAsync for streams without lines");
        }

        Array.Resize(ref _buffer, Math.Min(2 * _buffer.Length, MaxReplyBytes));
    }
}
