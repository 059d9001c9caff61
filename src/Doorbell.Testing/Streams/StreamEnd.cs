namespace Doorbell.Testing;

/// <summary>One end of a simulated stream.</summary>
internal sealed class StreamEnd : StreamTransport
{
    private readonly StreamDirection _input;
    private readonly StreamDirection _output;
    private bool _finished;
    private bool _closed;

    public StreamEnd(StreamDirection input, StreamDirection output)
    {
        _input = input;
        _output = output;

        // Whoever is closed answers bytes with a reset, and whoever gets a reset sends nothing any more (RFC 9293 section 3.10.7).
        input.OnUnwanted = output.Reset;
        input.OnReset = output.Stop;
    }

    /// <summary>Called when there may be something to do: something arrived, there is room, or the connection is lost.</summary>
    public Action? OnChange
    {
        set => _input.OnArrival = _output.OnRoom = value;
    }

    public override int Readable => _input.Readable;

    public override bool AtEnd => _input.HasEnded && _input.Readable == 0;

    public override CloseReason? Lost =>
        _input.IsReset ? CloseReason.PeerReset : _output.HasTimedOut ? CloseReason.TransportFailed : null;

    public override int Room => _output.Room;

    public override void Receive(Span<byte> into) => _input.Receive(into);

    public override void Send(ReadOnlySpan<byte> bytes) => _output.Send(bytes);

    public override void Finish()
    {
        if (!_finished)
        {
            _finished = true;
            _output.End();
        }
    }

    public override void Close()
    {
        if (_closed)
        {
            return;
        }

        _closed = _input.IsClosed = true;
        if (Lost is not null)
        {
            _input.IsForgotten = true;
        }
        else if (_input.Readable > 0)
        {
            // Closing with unread input sends a reset (RFC 2525 section 2.17).
            _input.IsForgotten = true;
            _output.Reset();
        }
        else
        {
            Finish();
        }
    }

    public override void Abort()
    {
        if (!_closed)
        {
            _closed = _input.IsClosed = _input.IsForgotten = true;
            _output.Reset();
        }
    }
}
