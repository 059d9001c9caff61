using Doorbell.Coap.Codec;

namespace Doorbell.Coap;

/// <summary>The bounds of a CoAP server.</summary>
public sealed record CoapServerLimits
{
    /// <summary>What a datagram has besides its payload at most: header, token and our options.</summary>
    internal const int OverheadBytes = 64;

    /// <summary>What a message over a stream has besides its body at most: as much as a whole datagram has.</summary>
    private const int OtherBytes = 1152;

    private const int MaxDatagramBytes = DatagramLimits.MaxIPv4Bytes;
    private const int MinMessageBytes = OverheadBytes + 16;

    /// <summary>EXCHANGE_LIFETIME: how long a confirmable message may come doubled (RFC 7252 section 4.8.2).</summary>
    public static TimeSpan ExchangeLifetime => CoapTimes.ExchangeLifetime;

    /// <summary>NON_LIFETIME: the same for a non-confirmable one.</summary>
    public static TimeSpan NonLifetime => CoapTimes.NonLifetime;

    /// <summary>The defaults.</summary>
    public static CoapServerLimits Default { get; } = new();

    /// <summary>
    /// Most exchanges remembered, so that a duplicate has no second effect. With more an old one is forgotten, of an address that has many
    /// (an IPv6 /64 counts as one), and counted if a duplicate of it could still come. As many again of requests that had no effect, as
    /// their senders were to prove first where they are: a duplicate that comes behind the proof must have none either. Default 16,384; 0
    /// remembers none.
    /// </summary>
    public int MaxExchanges { get; init; } = 16_384;

    /// <summary>
    /// Most bytes of an answer's datagram: 80 to 65,507. Blocks have the largest size that fits, up to 1,024. Default 1,152 (RFC 7252
    /// section 4.6).
    /// </summary>
    public int MaxMessageBytes { get; init; } = 1152;

    /// <summary>
    /// Most bytes of a body that comes in blocks, which is otherwise refused by 4.13, or that leaves in blocks, which otherwise becomes
    /// 5.00. Default 1 MiB.
    /// </summary>
    public int MaxBodyBytes { get; init; } = 1024 * 1024;

    /// <summary>
    /// Most requests' bodies that are collected at once. As many answers' bodies are kept for the blocks not yet asked for. With one more
    /// the one is forgotten whose last block came, or was asked for, longest ago. Default 64 of each.
    /// </summary>
    public int MaxBodies { get; init; } = 64;

    /// <summary>
    /// The same of one peer: of an IPv4 address or an IPv6 /64, at all its ports together. With one more its own one is forgotten that was
    /// touched longest ago. Default 16 of each, a quarter of all.
    /// </summary>
    public int MaxBodiesPerPeer { get; init; } = 16;

    /// <summary>
    /// How long a body waits for its next block, or for the next question for one. Default 93 seconds: a peer that repeats a message
    /// for longer has given up (MAX_TRANSMIT_WAIT, RFC 7252 section 4.8.2).
    /// </summary>
    public TimeSpan BodyTimeout { get; init; } = TimeSpan.FromSeconds(93);

    /// <summary>
    /// A source that has not proved that it is where it says gets at most this many times the bytes it sent; loopback and unix peers
    /// can't be forged from outside and are exempt. Default 3 (RFC 9175 section 2.4); 0 for no bound.
    /// </summary>
    public int MaxAmplification { get; init; } = 3;

    /// <summary>
    /// An Echo value is good for this long at least, and twice as long at most. Default 100 seconds: a repeated request gets the value of
    /// the first, up to MAX_TRANSMIT_SPAN old, and is itself repeated for as long (RFC 7252 section 4.8.2: 45 seconds each).
    /// </summary>
    public TimeSpan EchoWindow { get; init; } = TimeSpan.FromSeconds(100);

    /// <summary>
    /// Most peers remembered that have proved where they are; with more an old proof is forgotten, of an address that has many (an IPv6
    /// /64 counts as one), and its peer has to prove it again. Default 16,384.
    /// </summary>
    public int MaxProvedPeers { get; init; } = 16_384;

    /// <summary>How long a proof counts. Default 5 minutes: longer than an exchange may take.</summary>
    public TimeSpan ProofLifetime { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Most separate answers that wait to be sent or acknowledged. An IPv4 address or an IPv6 /64 may have a quarter of them, and 4 in any
    /// case; one request more of it is answered 5.03. If others take all the room, the peer is given up that has left an answer without
    /// acknowledgement longest, if the answer was sent again already; without such a peer the request is answered 5.03. Default 256.
    /// </summary>
    public int MaxSeparateAnswers { get; init; } = 256;

    /// <summary>
    /// Most observations (RFC 7641). A request for one more is answered as any other, without being observed. Default 1,024.
    /// </summary>
    public int MaxObservations { get; init; } = 1024;

    /// <summary>The same of one IPv4 address or one IPv6 /64, at all its ports together. Default 256, a quarter of all.</summary>
    public int MaxObservationsPerPeer { get; init; } = 256;

    /// <summary>
    /// Over a stream, how long a client may take until its first message, a CSM, has come whole (RFC 8323 section 5.3). Default 10 seconds.
    /// </summary>
    public TimeSpan CapabilitiesTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Over a stream, the largest message that is taken, in bytes (Max-Message-Size, RFC 8323 section 5.3.1): a body of
    /// <see cref="MaxBodyBytes"/>, and 1,152 more for the rest.
    /// </summary>
    public int MaxStreamMessageBytes => (int)Math.Min(MaxBodyBytes + (long)OtherBytes, int.MaxValue);

    /// <summary>The exponent of the largest block that fits a datagram.</summary>
    internal int BlockExponent
    {
        get
        {
            int exponent = CoapBlock.MaxSizeExponent;
            while ((CoapBlock.MinSize << exponent) + OverheadBytes > MaxMessageBytes)
            {
                exponent--;
            }

            return exponent;
        }
    }

    /// <summary>Refuses values that make no sense.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A size, count or time is negative, zero where it may not be, or too large.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfNegative(MaxExchanges);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxMessageBytes, MinMessageBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxMessageBytes, MaxDatagramBytes);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxBodyBytes);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxBodies);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxBodiesPerPeer);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(BodyTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfNegative(MaxAmplification);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(EchoWindow, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxProvedPeers);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(ProofLifetime, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxSeparateAnswers);
        ArgumentOutOfRangeException.ThrowIfNegative(MaxObservations);
        ArgumentOutOfRangeException.ThrowIfNegative(MaxObservationsPerPeer);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(CapabilitiesTimeout, TimeSpan.Zero);
    }
}
