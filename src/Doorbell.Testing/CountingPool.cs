using System.Buffers;

namespace Doorbell.Testing;

/// <summary>A pool that knows what is out, refuses a second return, and spoils what comes back, so that a use after it shows.</summary>
internal sealed class CountingPool : ArrayPool<byte>
{
    private readonly HashSet<byte[]> _out = [];

    public long RentedBytes { get; private set; }

    public override byte[] Rent(int minimumLength)
    {
        byte[] array = new byte[minimumLength];
        _out.Add(array);
        RentedBytes += array.Length;
        return array;
    }

    public override void Return(byte[] array, bool clearArray = false)
    {
        if (!_out.Remove(array))
        {
            throw new InvalidOperationException("An array was returned that is not out: returned twice, or never rented.");
        }

        RentedBytes -= array.Length;
        array.AsSpan().Fill(0xee);
    }
}
