namespace Doorbell.Cli.Ends;

/// <summary>Datagrams both ways with one peer, or with those behind one address: a socket of ours, or one that many peers share.</summary>
internal interface IDatagrams : IDisposable
{
    /// <summary>More bytes no datagram has.</summary>
    int MaxBytes { get; }

    /// <summary>The next datagram that comes.</summary>
    /// <returns>How many bytes it has, or -1 if none follows.</returns>
    ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellation);

    /// <summary>Sends a datagram.</summary>
    ValueTask SendAsync(ReadOnlyMemory<byte> datagram, CancellationToken cancellation);
}
