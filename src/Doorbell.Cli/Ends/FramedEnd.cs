namespace Doorbell.Cli.Ends;

/// <summary>Datagrams as one side of a relay: they have no end of their own.</summary>
internal sealed class FramedEnd(string name, FramedDatagrams datagrams) : OpenEnd(name, datagrams)
{
    public override async ValueTask<bool> EndSendingAsync()
    {
        await datagrams.EndAsync();
        return false;
    }
}
