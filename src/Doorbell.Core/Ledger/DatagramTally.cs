namespace Doorbell.Sessions;

/// <summary>What the datagrams of one message received add to the ledger.</summary>
internal struct DatagramTally
{
    public long Datagrams;
    public long Bytes;
    public long Requests;
    public long Truncated;
}
