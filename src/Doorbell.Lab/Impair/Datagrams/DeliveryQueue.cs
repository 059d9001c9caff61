namespace Doorbell.Lab.Impair.Datagrams;

/// <summary>Datagrams that wait for their time; of those with the same time, who came first goes first. Bounded twice.</summary>
internal sealed class DeliveryQueue
{
    /// <summary>Most datagrams that wait.</summary>
    public const int MaxDatagrams = 65_536;

    /// <summary>Most bytes that wait.</summary>
    public const long MaxBytes = 256L * 1024 * 1024;

    private readonly PriorityQueue<Delivery, (TimeSpan At, long Number)> _queue = new();
    private long _bytes;
    private long _number;

    /// <summary>When the next one's time comes; <see cref="TimeSpan.MaxValue"/> if none waits.</summary>
    public TimeSpan NextAt => _queue.TryPeek(out _, out (TimeSpan At, long Number) next) ? next.At : TimeSpan.MaxValue;

    /// <summary>Whether there was room for it; if not, it is counted as dropped.</summary>
    public bool TryAdd(Delivery delivery, TimeSpan at)
    {
        if (_queue.Count >= MaxDatagrams || _bytes + delivery.Bytes.Length > MaxBytes)
        {
            delivery.Way.NoRoom++;
            return false;
        }

        _queue.Enqueue(delivery, (at, _number++));
        _bytes += delivery.Bytes.Length;
        delivery.Client.Waiting++;
        return true;
    }

    /// <summary>Takes the next one if its time has come.</summary>
    public bool TryTake(TimeSpan now, out Delivery delivery)
    {
        if (!_queue.TryPeek(out delivery, out (TimeSpan At, long Number) next) || next.At > now)
        {
            return false;
        }

        _queue.Dequeue();
        _bytes -= delivery.Bytes.Length;
        delivery.Client.Waiting--;
        return true;
    }

    /// <summary>At the end: counts what waits.</summary>
    public void CountWaiting()
    {
        foreach ((Delivery delivery, _) in _queue.UnorderedItems)
        {
            delivery.Way.Waiting++;
        }
    }
}
