using System.Net;
using System.Net.Sockets;

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

    private StreamClient(Endpoint endpoint, Socket socket)
    {
        _endpoint = endpoint;
        _socket = socket;
        Peer = socket.RemoteEndPoint as IPEndPoint is { } ip ? PeerAddress.From(ip) : PeerAddress.FromUnix(endpoint.Path);
    }

    /// <summary>The address that answered.</summary>
    public PeerAddress Peer { get; }

    /// <summary>Connects; see <see cref="Connector.ConnectAsync"/>.</summary>
    /// <param name="endpoint">A TCP or unix stream endpoint.</param>
    /// <param name="timeout">Bounds resolving and connecting together.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="NetworkException">No address answered.</exception>
    public static async Task<StreamClient> ConnectAsync(Endpoint endpoint, TimeSpan timeout, CancellationToken cancellation) =>
        new(endpoint, await Connector.ConnectAsync(endpoint, timeout, cancellation).ConfigureAwait(false));

    /// <summary>Sends one line in one write and waits for one reply, however it is cut and ended; see <see cref="LineReply"/>.</summary>
    /// <param name="line">Without its end; an LF is added.</param>
    /// <param name="timeout">Bounds the whole exchange.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>The reply without its end.</returns>
    /// <exception cref="NetworkException">
    /// The connection failed or ended first, or time ran out; <see cref="IncompleteReplyException.Reply"/> has what came of a reply.
    /// </exception>
    public async Task<byte[]> AskAsync(ReadOnlyMemory<byte> line, TimeSpan timeout, CancellationToken cancellation)
    {
        using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(timeout);
        string operation = "send";
        try
        {
            byte[] question = [.. line.Span, (byte)'\n'];
            await SendAllAsync(question, deadline.Token).ConfigureAwait(false);
            operation = "receive";
            return await ReadReplyAsync(deadline.Token).ConfigureAwait(false);
        }
        catch (SocketException failure)
        {
            throw NetworkException.From(operation, _endpoint.ToString(), failure);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            byte[] partial = LineReply.AtEnd(_buffer.AsSpan(0, _count)).ToArray();
            string came = partial.Length == 0 ? "no reply" : $"the reply has no end after {partial.Length} bytes";
            throw new IncompleteReplyException(
                $"receive {_endpoint}: {came} within {timeout.TotalSeconds:0.###} s; {Advice.For("receive", SocketError.TimedOut)}",
                SocketError.TimedOut,
                partial);
        }
    }

    /// <summary>Closes the connection.</summary>
    public void Dispose() => _socket.Dispose();

    private async ValueTask SendAllAsync(ReadOnlyMemory<byte> bytes, CancellationToken deadline)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await _socket.SendAsync(bytes, SocketFlags.None, deadline).ConfigureAwait(false)..];
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
        int consumed = LineReply.TryRead(_buffer.AsSpan(0, _count), out ReadOnlySpan<byte> reply);
        if (consumed == 0)
        {
            return null;
        }

        byte[] whole = reply.ToArray();
        _count -= consumed;
        _buffer.AsSpan(consumed, _count).CopyTo(_buffer);
        return whole;
    }

    private byte[] ReplyAtEnd()
    {
        ReadOnlySpan<byte> reply = LineReply.AtEnd(_buffer.AsSpan(0, _count));
        if (reply.IsEmpty)
        {
            throw new NetworkException(
                $"receive {_endpoint}: the server closed the connection without a reply; "
                    + "it may take one line a connection, or have stopped",
                SocketError.Disconnecting,
                null);
        }

        _count = 0;
        return reply.ToArray();
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
                $"receive {_endpoint}: the reply has no end after {_count} bytes; use `doorbell connect` for streams without lines",
                SocketError.MessageSize,
                null);
        }

        Array.Resize(ref _buffer, Math.Min(2 * _buffer.Length, MaxReplyBytes));
    }
}
