using Doorbell.Sessions;

namespace Doorbell.Tests;

/// <summary>A layer that breaks what layers promise.</summary>
internal sealed class BrokenLayer(BrokenLayer.Fault fault) : StreamLayer
{
    public enum Fault
    {
        Throws,
        ThrowsAtItsBegin,
        ThrowsWhenItWraps,
        ConsumesTooMuch,
        ProducesTooMuch,
        TurnsTransparentWhenOpen,
        NeverEnough,
    }

    public override int MaxUnitBytes => 4;

    public override LayerState Begin(OutputBuffer wire) =>
        fault == Fault.ThrowsAtItsBegin ? throw new FormatException("begin") : LayerState.Open;

    public override Unwrapped Unwrap(ReadOnlySpan<byte> came, Span<byte> plain, OutputBuffer wire) => fault switch
    {
        Fault.Throws => throw new FormatException("unwrap"),
        Fault.ConsumesTooMuch => new Unwrapped(came.Length + 1, 0, LayerState.Open),
        Fault.ProducesTooMuch => new Unwrapped(1, plain.Length + 1, LayerState.Open),
        Fault.TurnsTransparentWhenOpen => new Unwrapped(1, 0, LayerState.Transparent),
        Fault.NeverEnough => new Unwrapped(0, 0, LayerState.Open),
        _ => new Unwrapped(1, 1, LayerState.Open),
    };

    public override void Wrap(ReadOnlySpan<byte> plain, OutputBuffer wire) => throw new FormatException("wrap");
}
