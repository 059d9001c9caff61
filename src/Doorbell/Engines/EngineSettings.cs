using Doorbell.Lanes.Loops;

namespace Doorbell.Engines;

/// <summary>How engines are made: what is no server's option, since nobody has had to change it.</summary>
internal sealed record EngineSettings
{
    public static EngineSettings Default { get; } = new();

    /// <summary>The io_uring of each lane.</summary>
    public RingSizes RingSizes { get; init; } = RingSizes.Default;

    /// <summary>The program, and its arguments, that worker processes run; null for this program, as it was called.</summary>
    public IReadOnlyList<string>? WorkerCommand { get; init; }
}
