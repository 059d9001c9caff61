using Doorbell.Coap.Client;
using Doorbell.Coap.Codec;

namespace Doorbell.Coap;

/// <summary>The bounds of a CoAP client, and the times of RFC 7252 section 4.8 that it keeps.</summary>
public sealed record CoapClientLimits
{
    /// <summary>MAX_TRANSMIT_SPAN: from a message's first sending to its last. The server's memory of it counts on that.</summary>
    public static TimeSpan MaxTransmitSpan { get; } = TimeSpan.FromSeconds(45);

    /// <summary>MAX_TRANSMIT_WAIT: from a message's first sending until its answer is no longer expected.</summary>
    public static TimeSpan MaxTransmitWait { get; } = TimeSpan.FromSeconds(93);

    /// <summary>The defaults.</summary>
    public static CoapClientLimits Default { get; } = new();

    /// <summary>NSTART: messages on their way to the peer at once that it has neither acknowledged nor answered. Default 1.</summary>
    public int MaxOutstanding { get; init; } = 1;

    /// <summary>Requests at once, on their way or waiting for their turn. Default 64.</summary>
    public int MaxRequests { get; init; } = 64;

    /// <summary>Most bytes of an answer's body. Default 1 MiB.</summary>
    public int MaxAnswerBytes { get; init; } = 1024 * 1024;

    /// <summary>Most bytes of a datagram sent. Default 1,152 (RFC 7252 section 4.6).</summary>
    public int MaxMessageBytes { get; init; } = 1152;

    /// <summary>
    /// Bytes of a block, if the server does not ask for smaller ones: 16, 32 and so on to 1,024 (RFC 7959 section 2.2). Default 1,024.
    /// </summary>
    public int BlockBytes { get; init; } = 1024;

    /// <summary>ACK_TIMEOUT: the wait before a message is sent again while the round trip is unknown. Default 2 seconds.</summary>
    public TimeSpan FirstContactTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The shortest wait once the round trip is known. Default 10 milliseconds.</summary>
    public TimeSpan MinTimeout { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>The exponent of the largest block that fits a datagram beside the request's options.</summary>
    /// <exception cref="ArgumentException">No method, a part longer than 255 bytes, or options that fit no datagram.</exception>
    internal int BlockExponentFor(CoapClientRequest request)
    {
        int options = CoapResourceName.OptionBytes(request);
        int exponent = int.Log2(BlockBytes) - 4;
        while (exponent >= 0 && options + (CoapBlock.MinSize << exponent) > MaxMessageBytes)
        {
            exponent--;
        }

        return exponent >= 0
            ? exponent
            : throw new ArgumentException($"the options take {options} bytes, which leaves no room in {MaxMessageBytes}");
    }

    /// <summary>Refuses values that make no sense.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A bound below 1, or a size or a wait that is none.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxOutstanding);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxRequests, MaxOutstanding);
        ArgumentOutOfRangeException.ThrowIfNegative(MaxAnswerBytes);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxMessageBytes, 64);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxMessageBytes, DatagramLimits.MaxIPv4Bytes);
        if (BlockBytes is < 16 or > 1024 || !int.IsPow2(BlockBytes))
        {
            throw new ArgumentOutOfRangeException(nameof(BlockBytes), BlockBytes, "A block has 16, 32, 64, 128, 256, 512 or 1,024 bytes.");
        }

        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(MinTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(FirstContactTimeout, MinTimeout);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(FirstContactTimeout, MaxTransmitSpan);
    }
}
