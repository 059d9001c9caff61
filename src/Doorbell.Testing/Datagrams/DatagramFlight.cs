using System.Buffers;

namespace Doorbell.Testing;

/// <summary>A datagram on its way; used again for another when it has arrived.</summary>
internal sealed class DatagramFlight(DatagramCarrier carrier) : IScheduled
{
    /// <summary>It keeps a buffer up to this size: what most datagrams need.</summary>
    private const int KeptBytes = 2048;

    private byte[] _buffer = [];
    private int _length;

    public SimulatedLink Link { get; private set; } = null!;

    public PeerAddress From { get; private set; }

    public PeerAddress To { get; private set; }

    public Span<byte> Bytes => _buffer.AsSpan(0, _length);

    public void Start(SimulatedLink link, PeerAddress from, PeerAddress to, ReadOnlySpan<byte> bytes)
    {
        if (_buffer.Length < bytes.Length)
        {
            Give();
            _buffer = ArrayPool<byte>.Shared.Rent(bytes.Length);
        }

        bytes.CopyTo(_buffer);
        (Link, From, To, _length) = (link, from, to, bytes.Length);
    }

    public void Land()
    {
        // A receiver that kept the span would see this.
        Bytes.Fill(0xdd);
        if (_buffer.Length > KeptBytes)
        {
            Give();
        }
    }

    void IScheduled.Happen(int what) => carrier.Arrive(this);

    private void Give()
    {
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
        }
    }
}
