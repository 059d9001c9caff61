namespace Doorbell.Tests;

/// <summary>A handler made of lambdas, that notes what it was told.</summary>
internal sealed class ScriptedHandler : StreamHandler
{
    public delegate Step BytesFunction(ReadOnlySpan<byte> input, Turn turn);

    public delegate Next EndFunction(ReadOnlySpan<byte> rest, Turn turn);

    public delegate Next MomentFunction(Turn turn);

    public List<string> Told { get; } = [];

    public BytesFunction Bytes { get; init; } = static (input, turn) =>
    {
        turn.Output.Write(input);
        return Step.More(input.Length);
    };

    public EndFunction End { get; init; } = static (_, _) => Next.Close;

    public MomentFunction Open { get; init; } = static _ => Next.Stay;

    public MomentFunction Flushed { get; init; } = static _ => Next.Stay;

    public MomentFunction Ring { get; init; } = static _ => Next.More;

    public MomentFunction Alarm { get; init; } = static _ => Next.Stay;

    public MomentFunction DrainBegun { get; init; } = static _ => Next.Stay;

    public CloseReason? Closed { get; private set; }

    public override Next OnOpen(Turn turn) => Note("open", Open(turn));

    public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
    {
        Told.Add("bytes");
        return Bytes(input, turn);
    }

    public override Next OnEnd(ReadOnlySpan<byte> rest, Turn turn)
    {
        Told.Add("end");
        return End(rest, turn);
    }

    public override Next OnFlushed(Turn turn) => Note("flushed", Flushed(turn));

    public override Next OnRing(Turn turn) => Note("ring", Ring(turn));

    public override Next OnAlarm(Turn turn) => Note("alarm", Alarm(turn));

    public override Next OnDrain(Turn turn) => Note("drain", DrainBegun(turn));

    public override void OnClosed(CloseReason reason)
    {
        Assert.Null(Closed);
        Closed = reason;
    }

    private Next Note(string what, Next next)
    {
        Told.Add(what);
        return next;
    }
}
