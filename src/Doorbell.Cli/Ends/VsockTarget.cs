using Doorbell.Native;

namespace Doorbell.Cli.Ends;

/// <summary>A stream between a virtual machine and its host, <c>vsock:CID:PORT</c> (vsock(7)).</summary>
/// <param name="cid">The machine; null for <c>*</c>, every number of this one.</param>
/// <param name="port">32 bits.</param>
internal sealed class VsockTarget(uint? cid, uint port) : EndTarget($"vsock:{(cid is { } number ? $"{number}" : "*")}:{port}")
{
    /// <summary>Whether it is a place to connect to.</summary>
    public bool IsConnectable => cid is not null;

    public override async Task<OpenEnd> OpenAsync(EndOpening opening, CancellationToken cancellation)
    {
        RequireLinux();
        int descriptor = await Task.Factory.StartNew(
            () => VsockSocket.Connect(Name, cid!.Value, port, opening.Timeout),
            cancellation,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        return Of(Name, descriptor);
    }

    /// <summary>Listens.</summary>
    /// <returns>The listener, which the caller owns.</returns>
    /// <exception cref="NetworkException">The kernel has no vsock, or refuses the address.</exception>
    public StreamDescriptor Listen()
    {
        RequireLinux();
        int listener = VsockSocket.Listen(Name, cid ?? VsockSocket.AnyCid, port);
        return new StreamDescriptor(listener, listener, isOwned: true);
    }

    /// <summary>A connection that was accepted or made.</summary>
    public static OpenEnd Of(string name, int descriptor) => new Connection(name, descriptor);

    private sealed class Connection(string name, int descriptor)
        : OpenEnd(name, new DescriptorStream(new StreamDescriptor(descriptor, descriptor, isOwned: true)))
    {
        public override ValueTask<bool> EndSendingAsync()
        {
            VsockSocket.EndSending(descriptor);
            return ValueTask.FromResult(true);
        }
    }
}
