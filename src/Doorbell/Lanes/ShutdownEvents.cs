using Doorbell.Native;
using Doorbell.Serving;

namespace Doorbell.Lanes;

/// <summary>The server's end, step by step, as descriptors that any number of lanes poll, in this process and in those it starts.</summary>
internal sealed class ShutdownEvents : IDisposable
{
    private readonly Shutdown _shutdown;
    private readonly CancellationTokenRegistration _stopAccepting;
    private readonly CancellationTokenRegistration _drain;
    private readonly CancellationTokenRegistration _abort;

    public ShutdownEvents(Shutdown shutdown)
    {
        _shutdown = shutdown;
        _stopAccepting = shutdown.AcceptingStopped.UnsafeRegister(static raised => ((EventDescriptor)raised!).Raise(), StopAccepting);
        _drain = shutdown.Draining.UnsafeRegister(static raised => ((EventDescriptor)raised!).Raise(), Drain);
        _abort = shutdown.Aborting.UnsafeRegister(static raised => ((EventDescriptor)raised!).Raise(), Abort);
    }

    /// <summary>Raised when no more is accepted, and so also when the drain begins.</summary>
    public EventDescriptor StopAccepting { get; } = new();

    public EventDescriptor Drain { get; } = new();

    public EventDescriptor Abort { get; } = new();

    /// <summary>A connection on a lane that blocks has been asked to close.</summary>
    public SharedWake Asked { get; } = new();

    public bool HasStoppedAccepting => _shutdown.AcceptingStopped.IsCancellationRequested;

    public bool IsDraining => _shutdown.Draining.IsCancellationRequested;

    public bool IsAborting => _shutdown.Aborting.IsCancellationRequested;

    /// <summary>Waits so long, or until the next step of the server's end.</summary>
    public unsafe void Pause(TimeSpan time)
    {
        EventDescriptor step = IsDraining ? Abort : HasStoppedAccepting ? Drain : StopAccepting;
        PollDescriptor next = new() { Descriptor = step.Descriptor, Events = PollDescriptor.In };
        _ = Libc.poll(&next, 1, (int)time.TotalMilliseconds);
    }

    public void Dispose()
    {
        _stopAccepting.Dispose();
        _drain.Dispose();
        _abort.Dispose();
        Asked.Dispose();
        StopAccepting.Dispose();
        Drain.Dispose();
        Abort.Dispose();
    }
}
