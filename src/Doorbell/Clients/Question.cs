using System.Buffers;
using System.IO.Pipelines;

namespace Doorbell.Clients;

/// <summary>A question on its way over one connection.</summary>
/// <param name="framed">The question as it is sent.</param>
/// <param name="isInPieces">
/// Whether its answer is handed on in <see cref="TakePiecesAsync"/> while it comes. The connection fills the pieces under its lock; who
/// asked empties them.
/// </param>
internal sealed class Question(byte[] framed, bool isInPieces = false)
{
    /// <summary>So many bytes wait for who asked. With more, nothing is received until half of them are taken.</summary>
    private const int MaxWaitingBytes = 64 * 1024;
    private const int PieceBytes = 16 * 1024;

    private readonly TaskCompletionSource<byte[]?> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Pipe? _pieces = isInPieces
        ? new Pipe(new PipeOptions(null, null, null, MaxWaitingBytes, MaxWaitingBytes / 2, PieceBytes, useSynchronizationContext: false))
        : null;

    /// <summary>What came of an answer that did not end.</summary>
    private byte[] _part = [];

    /// <summary>The question as it is sent.</summary>
    public byte[] Framed => framed;

    /// <summary>Is told what is sent, before it is; see <see cref="ClientOptions.Sending"/>.</summary>
    public Action<ReadOnlyMemory<byte>>? Sending { get; init; }

    /// <summary>
    /// The answer without its framing, or its last piece; null if nothing of the question was sent, so that it can be asked elsewhere.
    /// </summary>
    public Task<byte[]?> Answer => _answer.Task;

    /// <summary>Whether the kernel has taken all of it.</summary>
    public bool IsSent { get; set; }

    /// <summary>Whether its answer is handed on while it comes.</summary>
    public bool IsInPieces => isInPieces;

    /// <summary>How many bytes came of an answer that did not end.</summary>
    public long Came { get; private set; }

    /// <summary>A piece of the answer has come; more is to come.</summary>
    /// <returns>Ends when more is to be received.</returns>
    public ValueTask<FlushResult> HandOn(ReadOnlySpan<byte> piece)
    {
        Came += piece.Length;
        _pieces!.Writer.Write(piece);
        return _pieces.Writer.FlushAsync();
    }

    public void Answered(byte[] answer)
    {
        _pieces?.Writer.Complete();
        _answer.TrySetResult(answer);
    }

    public void Unsent()
    {
        _pieces?.Writer.Complete();
        _answer.TrySetResult(null);
    }

    public void Failed(NetworkException failure)
    {
        _pieces?.Writer.Complete();
        _answer.TrySetException(failure);
    }

    /// <summary>No more comes of an answer that has not ended.</summary>
    public void CutOff(ReadOnlySpan<byte> part)
    {
        Came += part.Length;
        if (_pieces is null)
        {
            _part = part.ToArray();
            return;
        }

        _pieces.Writer.Write(part);
        _pieces.Writer.Complete();
    }

    /// <summary>Hands the pieces on until there are no more.</summary>
    public async Task TakePiecesAsync(Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask> take, CancellationToken deadline)
    {
        PipeReader reader = _pieces!.Reader;
        ReadOnlyMemory<byte> piece;
        do
        {
            ReadResult read = await reader.ReadAsync(deadline).ConfigureAwait(false);
            piece = read.Buffer.First;
            try
            {
                if (!piece.IsEmpty)
                {
                    await take(piece, deadline).ConfigureAwait(false);
                }
            }
            finally
            {
                reader.AdvanceTo(read.Buffer.GetPosition(piece.Length));
            }
        }
        while (!piece.IsEmpty);
    }

    /// <summary>What came and was not taken. Nothing is handed on any more.</summary>
    public byte[] TakeRest()
    {
        if (_pieces is null)
        {
            return _part;
        }

        byte[] waiting = _pieces.Reader.TryRead(out ReadResult read) ? read.Buffer.ToArray() : [];
        _pieces.Reader.Complete();
        return waiting;
    }
}
