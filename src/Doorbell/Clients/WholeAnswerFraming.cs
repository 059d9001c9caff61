namespace Doorbell.Clients;

/// <summary>A line as a question, and all that comes until the server's end as its reply.</summary>
internal sealed class WholeAnswerFraming : LineQuestionFraming
{
    public override bool HalfCloses => true;

    public override bool TryFind(ReadOnlySpan<byte> received, int searched, out Frame frame)
    {
        frame = default;
        return false;
    }

    public override bool TryFindAtEnd(ReadOnlySpan<byte> received, out Frame frame)
    {
        frame = new Frame(0, received.Length, received.Length);
        return true;
    }

    public override ReadOnlySpan<byte> Piece(ReadOnlySpan<byte> received) => received;
}
