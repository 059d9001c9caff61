using System.Buffers;

namespace Doorbell.Testing;

/// <summary>A client that does what the test's script says. It reads all that comes, unless told to stop.</summary>
public sealed class SimulatedClient
{
    private readonly StreamEnd _end;
    private readonly ByteQueue _unsent = new();
    private readonly ArrayBufferWriter<byte> _received = new();
    private bool _endAsked;
    private bool _isReading = true;
    private bool _hasReset;

    internal SimulatedClient(SimulatedNetwork network, StreamEnd end)
    {
        _end = end;
        end.Input.OnArrival = Move;
        end.Output.OnRoom = () => network.After(TimeSpan.Zero, Move);
    }

    /// <summary>All that it has received.</summary>
    public ReadOnlySpan<byte> Received => _received.WrittenSpan;

    /// <summary>Whether the server has ended, and all before that is received.</summary>
    public bool ServerEnded => _end.AtEnd;

    /// <summary>Whether it was refused, or reset by the server.</summary>
    public bool WasReset => _end.IsReset;

    /// <summary>Sends, as fast as the server takes it.</summary>
    /// <param name="bytes">Copied.</param>
    public void Send(ReadOnlySpan<byte> bytes)
    {
        _unsent.Enqueue(bytes);
        Move();
    }

    /// <summary>Half-closes after what it has sent.</summary>
    public void End()
    {
        _endAsked = true;
        Move();
    }

    /// <summary>Resets the connection; what is on its way arrives before that, what is not yet sent is lost.</summary>
    public void Reset()
    {
        _hasReset = true;
        _end.Abort();
    }

    /// <summary>Reads no more, until <see cref="ResumeReading"/>: the server's output backs up.</summary>
    public void StopReading() => _isReading = false;

    /// <summary>Reads again.</summary>
    public void ResumeReading()
    {
        _isReading = true;
        Move();
    }

    private void Move()
    {
        if (_hasReset)
        {
            return;
        }

        if (_isReading && _end.Readable > 0)
        {
            int count = _end.Readable;
            _end.Receive(_received.GetSpan(count)[..count]);
            _received.Advance(count);
        }

        int sent = Math.Min(_unsent.Count, _end.Room);
        if (sent > 0)
        {
            _end.Send(_unsent.Peek(sent));
            _unsent.Skip(sent);
        }

        if (_endAsked && _unsent.Count == 0)
        {
            _end.Finish();
        }
    }
}
