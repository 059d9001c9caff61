namespace Doorbell.Cli.Impair;

/// <summary>A proxy of datagrams or of streams: it carries, and tells what passed. Any thread may read.</summary>
internal interface IImpairProxy : IDisposable
{
    /// <summary>What its readings count.</summary>
    string Unit { get; }

    /// <summary>Carries until it is stopped.</summary>
    Task RunAsync(CancellationToken stop);

    /// <summary>From clients to the upstream.</summary>
    WayReading ReadUp();

    /// <summary>Back.</summary>
    WayReading ReadDown();

    /// <summary>What else is counted, of both directions together.</summary>
    IReadOnlyList<(string Name, long Count)> ReadOthers();
}
