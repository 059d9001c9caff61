using Doorbell.Serving;

namespace Doorbell.Engines;

/// <summary>An engine, and why it is not the one that was asked for, in one line, or null.</summary>
internal readonly record struct EngineChoice(IEngine Engine, string? Refused)
{
    private static readonly Lazy<string?> _uringRefused = new(UringEngine.RefusedBecause);

    public static EngineChoice For(EngineKind kind, ServerModel model, EngineSettings settings)
    {
        bool loops = model is { Lane: LaneKind.Thread, SessionsPerLane: ServerModel.Many };
        return kind switch
        {
            EngineKind.Portable => new(new PortableEngine(), null),
            EngineKind.Epoll => new(new EpollEngine(settings), null),
            EngineKind.IoUring when !loops || _uringRefused.Value is null => new(new UringEngine(settings), null),
            EngineKind.IoUring => new(new EpollEngine(settings), _uringRefused.Value),
            _ when model.Lane == LaneKind.Task => new(new PortableEngine(), null),
            _ when loops && OperatingSystem.IsLinux() => For(EngineKind.IoUring, model, settings),
            _ => new(new EpollEngine(settings), null),
        };
    }
}
