using Doorbell.Native;
using Doorbell.Serving;

namespace Doorbell.Lanes;

/// <summary>The drain and the abort as descriptors that any number of lanes poll, in this process and in those it starts.</summary>
internal sealed class ShutdownEvents : IDisposable
{
    private readonly Shutdown _shutdown;
    private readonly CancellationTokenRegistration _drain;
    private readonly CancellationTokenRegistration _abort;

    public ShutdownEvents(Shutdown shutdown)
    {
        _shutdown = shutdown;
        _drain = shutdown.Draining.UnsafeRegister(static raised => ((EventDescriptor)raised!).Raise(), Drain);
        _abort = shutdown.Aborting.UnsafeRegister(static raised => ((EventDescriptor)raised!).Raise(), Abort);
    }

    public EventDescriptor Drain { get; } = new();

    public EventDescriptor Abort { get; } = new();

    public bool IsDraining => _shutdown.Draining.IsCancellationRequested;

    public bool IsAborting => _shutdown.Aborting.IsCancellationRequested;

    /// <summary>Waits so long, or until the next of drain and abort.</summary>
    public unsafe void Pause(TimeSpan time)
    {
        PollDescriptor next = new() { Descriptor = (IsDraining ? Abort : Drain).Descriptor, Events = PollDescriptor.In };
        _ = Libc.poll(&next, 1, (int)time.TotalMilliseconds);
    }

    public void Dispose()
    {
        _drain.Dispose();
        _abort.Dispose();
        Drain.Dispose();
        Abort.Dispose();
    }
}
