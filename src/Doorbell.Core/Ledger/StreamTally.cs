namespace Doorbell.Sessions;

/// <summary>What one turn of a stream session adds to the ledger.</summary>
internal struct StreamTally
{
    public long Requests;
    public long BytesReceived;
    public long BytesSent;
    public long BytesDiscarded;
    public long BytesUnsent;
}
