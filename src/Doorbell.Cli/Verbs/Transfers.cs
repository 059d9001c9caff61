using Doorbell.Cli.Printing;

namespace Doorbell.Cli.Verbs;

/// <summary>Is told what goes both ways, before it is sent and as soon as it has come: a dump, a recording, both, or neither.</summary>
internal sealed record Transfers(HexDump? Dump = null, Recording? Recording = null)
{
    /// <summary>Nobody is told.</summary>
    public static Transfers Unseen { get; } = new();

    public void Sending(ReadOnlySpan<byte> bytes)
    {
        Dump?.Sending(bytes);
        Recording?.Sending(bytes);
    }

    public void Received(ReadOnlySpan<byte> bytes)
    {
        Dump?.Received(bytes);
        Recording?.Received(bytes);
    }

    public void SendingEnds() => Recording?.SendingEnds();

    public void ReceivedEnd() => Recording?.ReceivedEnd();
}
