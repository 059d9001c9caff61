namespace Doorbell.Testing;

/// <summary>One direction of a stream: cut in pieces at random, each travels for a while, and none overtakes another.</summary>
internal sealed class StreamDirection(SimulatedNetwork network, SeededRandom random)
{
    /// <summary>Bytes on the way and not yet received: back-pressure from here on.</summary>
    private const int Window = 64 * 1024;
    private readonly ByteQueue _bytes = new();
    private TimeSpan _lastArrival;

    public Action? OnArrival { get; set; }

    public Action? OnRoom { get; set; }

    public int Readable { get; private set; }

    public int Room => Window - _bytes.Count;

    public bool HasEnded { get; private set; }

    public bool IsReset { get; private set; }

    public void Send(ReadOnlySpan<byte> bytes)
    {
        _bytes.Enqueue(bytes);
        for (int left = bytes.Length; left > 0;)
        {
            int piece = 1 + random.Next(left);
            left -= piece;
            Arrive(() => Readable += piece, piece);
        }
    }

    public void End() => Arrive(() => HasEnded = true, -1);

    public void Reset() => Arrive(() => IsReset = true, -2);

    public void Receive(Span<byte> into)
    {
        _bytes.Dequeue(into);
        Readable -= into.Length;
        foreach (byte value in into)
        {
            network.Trace(value);
        }

        OnRoom?.Invoke();
    }

    private void Arrive(Action action, int what)
    {
        TimeSpan at = network.Now + SimulatedNetwork.Travel(random);
        _lastArrival = at > _lastArrival ? at : _lastArrival;
        network.After(_lastArrival - network.Now, () =>
        {
            network.Trace(what);
            action();
            OnArrival?.Invoke();
        });
    }
}
