namespace Doorbell.Testing;

/// <summary>One end of a simulated stream.</summary>
internal sealed class StreamEnd(StreamDirection input, StreamDirection output) : StreamTransport
{
    private bool _finished;

    public StreamDirection Input => input;

    public StreamDirection Output => output;

    public override int Readable => input.Readable;

    public override bool AtEnd => input.HasEnded && input.Readable == 0;

    public override bool IsReset => input.IsReset;

    public override int Room => output.Room;

    public override void Receive(Span<byte> into) => input.Receive(into);

    public override void Send(ReadOnlySpan<byte> bytes) => output.Send(bytes);

    public override void Finish()
    {
        if (!_finished)
        {
            _finished = true;
            output.End();
        }
    }

    public override void Close()
    {
        if (input.Readable > 0)
        {
            // Closing with unread input sends a reset (RFC 2525 section 2.17).
            output.Reset();
        }

        Finish();
    }

    public override void Abort() => output.Reset();
}
