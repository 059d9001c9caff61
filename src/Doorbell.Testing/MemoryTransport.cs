using System.Buffers;

namespace Doorbell.Testing;

/// <summary>An end whose peer is the test itself: no distance, no delay.</summary>
internal sealed class MemoryTransport : StreamTransport
{
    private readonly ByteQueue _toServer = new();
    private readonly ArrayBufferWriter<byte> _toPeer = new();

    public int LargestReceive { get; set; } = 64 * 1024;

    public int LargestSend { get; set; } = 64 * 1024;

    public bool PeerEnded { get; set; }

    public bool PeerReset { get; set; }

    public ReadOnlySpan<byte> PeerReceived => _toPeer.WrittenSpan;

    public override int Readable => Math.Min(_toServer.Count, LargestReceive);

    public override bool AtEnd => PeerEnded && _toServer.Count == 0;

    public override CloseReason? Lost => PeerReset ? CloseReason.PeerReset : null;

    public override int Room => LargestSend;

    public void PeerSends(ReadOnlySpan<byte> bytes) => _toServer.Enqueue(bytes);

    public override void Receive(Span<byte> into) => _toServer.Dequeue(into);

    public override void Send(ReadOnlySpan<byte> bytes) => _toPeer.Write(bytes);

    public override void Finish()
    {
    }

    public override void Close()
    {
    }

    public override void Abort()
    {
    }
}
