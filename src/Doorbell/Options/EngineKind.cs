using Doorbell.Engines;
using Doorbell.Serving;

namespace Doorbell;

/// <summary>By which of the kernel's calls a server works.</summary>
public enum EngineKind
{
    /// <summary>
    /// The one that measures best for the model here: io_uring for <see cref="ServerModel.Loop"/> where the system has it, the portable one
    /// for <see cref="ServerModel.Async"/>, otherwise epoll.
    /// </summary>
    Auto,

    /// <summary>
    /// io_uring(7), Linux 6.1: the model <see cref="ServerModel.Loop"/>. Where the system refuses it, <see cref="Epoll"/> takes its place
    /// and <see cref="Server.EngineRefused"/> says why.
    /// </summary>
    IoUring,

    /// <summary>epoll(7), and calls that block: every model but <see cref="ServerModel.Async"/>. Linux.</summary>
    Epoll,

    /// <summary>System.Net.Sockets: the model <see cref="ServerModel.Async"/>. Everywhere.</summary>
    Portable,
}

/// <summary>An engine, and why it is not the one that was asked for, in one line, or null.</summary>
internal readonly record struct EngineChoice(IEngine Engine, string? Refused)
{
    private static readonly Lazy<string?> _uringRefused = new(UringEngine.RefusedBecause);

    public static EngineChoice For(EngineKind kind, ServerModel model)
    {
        bool loops = model is { Lane: LaneKind.Thread, SessionsPerLane: ServerModel.Many };
        return kind switch
        {
            EngineKind.Portable => new(new PortableEngine(), null),
            EngineKind.Epoll => new(new EpollEngine(), null),
            EngineKind.IoUring when !loops || _uringRefused.Value is null => new(new UringEngine(), null),
            EngineKind.IoUring => new(new EpollEngine(), _uringRefused.Value),
            _ when model.Lane == LaneKind.Task => new(new PortableEngine(), null),
            _ when loops && OperatingSystem.IsLinux() => For(EngineKind.IoUring, model),
            _ => new(new EpollEngine(), null),
        };
    }
}
