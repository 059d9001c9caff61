using System.Net.Sockets;

namespace Doorbell.Clients;

/// <summary>What a connection has received and nobody has taken yet. One user at a time.</summary>
internal sealed class AnswerBuffer(
    AnswerFraming framing, int maxAnswerBytes, string target, Action<ReadOnlyMemory<byte>>? received)
{
    private const int FirstBytes = 4096;

    /// <summary>An answer that is handed on in pieces is received in no larger ones.</summary>
    private const int MaxPieceBytes = 32 * 1024;

    /// <summary>So much of what nobody asked for is shown.</summary>
    private const int MaxShownBytes = 60;

    private byte[] _bytes = new byte[FirstBytes];
    private int _count;

    /// <summary>Bytes at the front known to hold no end of an answer, so that a long one is searched once.</summary>
    private int _searched;

    public bool IsEmpty => _count == 0;

    /// <summary>Whether our side of the connection ends behind a question.</summary>
    public bool HalfCloses => framing.HalfCloses;

    /// <summary>There is no <see cref="Room"/>.</summary>
    public bool IsFull => _count >= maxAnswerBytes;

    private Span<byte> Received => _bytes.AsSpan(0, _count);

    /// <summary>Where to receive into; good until the next call. <see cref="Add"/> says how much came.</summary>
    /// <exception cref="NetworkException">The answer is too long.</exception>
    public Memory<byte> Room()
    {
        if (IsFull)
        {
            throw new NetworkException(
                "receive", target, $"the reply has no end after {_count} bytes", SocketError.MessageSize, framing.TooLongAdvice);
        }

        if (_count == _bytes.Length)
        {
            Array.Resize(ref _bytes, (int)Math.Min(2L * _bytes.Length, Math.Max(maxAnswerBytes, _bytes.Length + 1)));
        }

        return _bytes.AsMemory(_count);
    }

    public void Add(int count)
    {
        received?.Invoke(_bytes.AsMemory(_count, count));
        _count += count;
    }

    /// <summary>Receives until there is a whole message, and takes it: the server's greeting.</summary>
    /// <exception cref="NetworkException">It did not come.</exception>
    public async Task<byte[]> ReceiveFirstAsync(Socket socket, CancellationToken cancellation)
    {
        try
        {
            while (true)
            {
                if (framing.TryFindGreeting(Received, out Frame frame))
                {
                    byte[] greeting = _bytes.AsSpan(frame.Start, frame.Length).ToArray();
                    Consume(frame.Consumed);
                    return greeting;
                }

                int count = await socket.ReceiveAsync(Room(), cancellation).ConfigureAwait(false);
                Add(count);
                if (count == 0)
                {
                    throw new NetworkException(
                        "receive", target, "the server closed the connection without a greeting", SocketError.Disconnecting);
                }
            }
        }
        catch (SocketException failure)
        {
            throw NetworkException.From("receive", target, failure);
        }
    }

    /// <summary>Takes the first whole answer, without its framing.</summary>
    public bool TryTake(out byte[] answer)
    {
        if (!framing.TryFind(Received, _searched, out Frame frame))
        {
            _searched = _count;
            answer = [];
            return false;
        }

        answer = _bytes.AsSpan(frame.Start, frame.Length).ToArray();
        Consume(frame.Consumed);
        return true;
    }

    /// <summary>Takes an answer that the server's end has ended.</summary>
    public bool TryTakeAtEnd(out byte[] answer)
    {
        bool found = framing.TryFindAtEnd(Received, out Frame frame);
        answer = found ? _bytes.AsSpan(frame.Start, frame.Length).ToArray() : [];
        return found;
    }

    /// <summary>
    /// What can be handed on already of an answer that isn't whole; good until <see cref="DropPiece"/>, which comes next. The padding
    /// before an answer is dropped.
    /// </summary>
    public ReadOnlySpan<byte> Piece()
    {
        if (_count == _bytes.Length && _count < MaxPieceBytes)
        {
            // They come faster than they are taken.
            Array.Resize(ref _bytes, MaxPieceBytes);
        }

        Consume(framing.PaddingOf(Received));
        return framing.Piece(Received);
    }

    /// <summary>A piece was handed on.</summary>
    public void DropPiece(int length) => Consume(length);

    /// <summary>Drops what belongs to no answer.</summary>
    /// <returns>How many bytes are left.</returns>
    public int DropPadding()
    {
        Consume(framing.PaddingOf(Received));
        return _count;
    }

    /// <summary>What has come of an answer that isn't whole.</summary>
    public ReadOnlySpan<byte> Part() => framing.Part(Received);

    /// <summary>Its beginning, fit to print.</summary>
    public string Shown() => PrintableText.Escape(_bytes.AsSpan(0, Math.Min(_count, MaxShownBytes)));

    private void Consume(int count)
    {
        _count -= count;
        _searched = 0;
        _bytes.AsSpan(count, _count).CopyTo(_bytes);
        if (_count == 0 && _bytes.Length > FirstBytes)
        {
            // A connection at rest keeps no memory of a long answer.
            _bytes = new byte[FirstBytes];
        }
    }
}
