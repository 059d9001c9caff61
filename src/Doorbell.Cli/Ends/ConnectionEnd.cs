namespace Doorbell.Cli.Ends;

/// <summary>A connection of a server's as one side of a relay.</summary>
internal sealed class ConnectionEnd(PipeConnection connection) : OpenEnd(connection.Peer.ToString(), new DuplexPipeStream(connection))
{
    public override async ValueTask<bool> EndSendingAsync()
    {
        await connection.Output.CompleteAsync();
        return true;
    }

    public override void Abort() => connection.Abort();
}
