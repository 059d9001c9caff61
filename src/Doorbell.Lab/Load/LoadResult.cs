namespace Doorbell.Lab.Load;

/// <summary>What a load test has found.</summary>
public sealed record LoadResult
{
    /// <summary>How long was measured.</summary>
    public required TimeSpan Measured { get; init; }

    /// <summary>Right answers to questions that were due in that time.</summary>
    public required long Requests { get; init; }

    /// <summary>The bytes of those questions.</summary>
    public required long BytesSent { get; init; }

    /// <summary>The bytes of their answers.</summary>
    public required long BytesReceived { get; init; }

    /// <summary>How long the answers took, in nanoseconds.</summary>
    public required LatencyHistogram Latency { get; init; }

    /// <summary>
    /// What went wrong in the whole run, by kind: <c>timeout</c>, <c>wrong</c>, <c>closed</c>, <c>reset</c>, <c>unasked</c>, or errno's
    /// name if it could not connect. Each is a number of requests.
    /// </summary>
    public required IReadOnlyDictionary<string, long> Errors { get; init; }

    /// <summary>Open loop: requests that were due and were never sent, since no connection had room for them.</summary>
    public required long Unsent { get; init; }

    /// <summary>The processor time of this process while it measured.</summary>
    public required TimeSpan Cpu { get; init; }

    /// <summary>Whether it was ended early.</summary>
    public required bool IsInterrupted { get; init; }

    /// <summary>The whole run in pieces, for a picture.</summary>
    public required IReadOnlyList<LoadInterval> Intervals { get; init; }

    /// <summary>Right answers a second.</summary>
    public double RequestsPerSecond => Measured > TimeSpan.Zero ? Requests / Measured.TotalSeconds : 0;

    /// <summary>Answers that were not what was expected.</summary>
    public long Wrong => Errors.GetValueOrDefault("wrong") + Errors.GetValueOrDefault("unasked");
}
