namespace Doorbell.Bench;

/// <summary>How much memory a server has taken for so many connections, in bytes beyond what it had before them.</summary>
internal sealed record MemoryPoint(int Connections, long Bytes);
