namespace Doorbell.Bench;

/// <summary>What a server of ours should reach.</summary>
/// <param name="Server">Which.</param>
/// <param name="Limit">The ratio to another server's figure in the same round, or the figure itself.</param>
/// <param name="Against">The other server; null if it is the figure itself.</param>
internal sealed record Goal(string Server, double Limit, string? Against);
