namespace Doorbell;

/// <summary>
/// The side of a tunnel whose connection was accepted. Its client first says where to, by one proxy protocol or another; then the bytes
/// pass in both directions, as through a relay.
/// </summary>
internal abstract class TunnelClientSide : RelaySide
{
    private readonly RelayQueue _up;
    private readonly RelayQueue _down;
    private Stage _stage;
    private TunnelUpstreamSide? _upstream;
    private OutgoingConnection? _outgoing;

    protected TunnelClientSide(TunnelOptions options)
        : this(options, new RelayQueue(options.BufferBytes), new RelayQueue(options.BufferBytes))
    {
    }

    private TunnelClientSide(TunnelOptions options, RelayQueue up, RelayQueue down)
        : base(up, down) => (Options, _up, _down) = (options, up, down);

    private enum Stage
    {
        Asked,
        Connecting,
        Joined,
        Refused,
    }

    public override bool IsIdle => _stage is Stage.Asked or Stage.Refused || base.IsIdle;

    protected TunnelOptions Options { get; }

    protected override RelaySide? Other => _upstream;

    public override Next OnOpen(Turn turn)
    {
        Listen(turn);
        _up.Memory = _down.Memory = turn.HeldMemory;
        turn.Alarm = turn.Now + Options.RequestTimeout;
        return Next.Stay;
    }

    public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
    {
        switch (_stage)
        {
            case Stage.Asked:
                Step step = ReadRequest(input, turn);
                _stage = step.Next is Next.Close or Next.Abort && _stage == Stage.Asked ? Stage.Refused : _stage;
                return step;
            case Stage.Joined:
                return base.OnBytes(input, turn);
            case Stage.Connecting:
                return Step.Park(0);
            default:
                return Step.More(input.Length);
        }
    }

    public override Next OnEnd(ReadOnlySpan<byte> rest, Turn turn) =>
        _stage is Stage.Asked or Stage.Refused ? Next.Close : base.OnEnd(rest, turn);

    public override Next OnAlarm(Turn turn)
    {
        if (_stage != Stage.Asked)
        {
            return Next.Stay;
        }

        _stage = Stage.Refused;
        WriteTooLate(turn.Output);
        return Next.Close;
    }

    public override void OnClosed(CloseReason reason)
    {
        base.OnClosed(reason);
        _outgoing?.Cancel();
    }

    /// <summary>Reads what the client says before the tunnel, and answers it.</summary>
    /// <returns>What <see cref="Connect"/> returns, once the client has said where to.</returns>
    protected abstract Step ReadRequest(ReadOnlySpan<byte> input, Turn turn);

    /// <summary>The client may send its bytes now.</summary>
    protected abstract void WriteConnected(PeerAddress local, OutputBuffer output);

    /// <summary>The target could not be connected.</summary>
    protected abstract void WriteFailed(ConnectFailure failure, OutputBuffer output);

    /// <summary>The client has not said where to in time. By default it is told nothing.</summary>
    protected virtual void WriteTooLate(OutputBuffer output)
    {
    }

    /// <summary>Begins to connect; the client's further bytes wait.</summary>
    /// <param name="consumed">How much of the input was the request.</param>
    /// <param name="target">Where to.</param>
    /// <param name="turn">The moment.</param>
    protected Step Connect(int consumed, Endpoint target, Turn turn)
    {
        _stage = Stage.Connecting;
        turn.Alarm = null;
        _upstream = new TunnelUpstreamSide(this, _down, _up);
        ConnectOptions options = new() { Timeout = Options.ConnectTimeout, Targets = Options.TargetsOf(turn.Connection) };
        _outgoing = turn.Connect(target, _upstream, options);
        return Step.Park(consumed);
    }

    protected override Next Advance(Turn turn)
    {
        if (_stage == Stage.Joined)
        {
            return base.Advance(turn);
        }

        if (_stage != Stage.Connecting)
        {
            return Next.Stay;
        }

        if (_upstream!.HasFailed)
        {
            _stage = Stage.Refused;
            WriteFailed(_outgoing!.Failure!, turn.Output);
            return Next.Close;
        }

        if (!_upstream.IsOpen)
        {
            return Next.Stay;
        }

        // What the target has sent already comes behind the answer, in the next call.
        _stage = Stage.Joined;
        WriteConnected(_upstream.Local, turn.Output);
        turn.Bell.Ring();
        return Next.More;
    }
}
