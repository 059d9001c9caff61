namespace Doorbell.Cli.Input;

/// <summary>
/// Standard input on its way to a peer, for two threads: one reads and sends, the other may have to know that nothing is between the two.
/// </summary>
internal sealed class JoinedInput
{
    private readonly object _lock = new();
    private readonly Stream _input = StandardInput.Open();
    private readonly CarriageReturns? _carriageReturns;
    private State _state = State.Sending;

    /// <param name="addsCarriageReturns">Whether an LF becomes CRLF.</param>
    public JoinedInput(bool addsCarriageReturns) => _carriageReturns = addsCarriageReturns ? new CarriageReturns() : null;

    private enum State
    {
        /// <summary>Waits for input, with nothing read that is not sent.</summary>
        Waiting,

        /// <summary>Has read something, or is about to.</summary>
        Sending,

        /// <summary>All is sent, or nothing more can be.</summary>
        Over,

        /// <summary>Nothing more is to be read.</summary>
        Abandoned,
    }

    /// <summary>
    /// Reads what there is, or waits until there is something. With that the caller says that all it got before is sent.
    /// </summary>
    /// <param name="buffer">Where to; good until the next call.</param>
    /// <returns>Nothing at the end, or if it was abandoned.</returns>
    /// <exception cref="StandardStreamException">Standard input can't be read.</exception>
    public ReadOnlySpan<byte> Read(byte[] buffer)
    {
        if (!TryMoveTo(State.Waiting))
        {
            return [];
        }

        (_input as StandardStream)?.WaitForInput();
        if (!TryMoveTo(State.Sending))
        {
            return [];
        }

        int count = _input.Read(buffer);
        return _carriageReturns is null ? buffer.AsSpan(0, count) : _carriageReturns.Add(buffer.AsSpan(0, count));
    }

    /// <summary>All is sent, or nothing more can be.</summary>
    public void End() => TryMoveTo(State.Over);

    /// <summary>
    /// Waits until the other thread has ended, or has sent all and waited so long for more. From then on it reads nothing more.
    /// </summary>
    public void WaitUntilSilent(TimeSpan silence)
    {
        lock (_lock)
        {
            while (_state != State.Over)
            {
                bool hasMoved = Monitor.Wait(_lock, silence);
                if (!hasMoved && _state == State.Waiting)
                {
                    _state = State.Abandoned;
                    return;
                }
            }
        }
    }

    private bool TryMoveTo(State next)
    {
        lock (_lock)
        {
            if (_state == State.Abandoned)
            {
                return false;
            }

            _state = next;
            Monitor.Pulse(_lock);
            return true;
        }
    }
}
