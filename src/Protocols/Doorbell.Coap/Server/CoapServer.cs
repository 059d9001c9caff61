using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Doorbell.Sessions;

namespace Doorbell.Coap;

/// <summary>
/// A CoAP server as a function of datagrams and the time (RFC 7252). A request has its effect at most once, however often its datagram
/// comes, while its exchange is remembered (<see cref="CoapServerLimits.MaxExchanges"/>). Bodies come and leave in blocks where they
/// are larger than one (RFC 7959); who has not proved where he is gets at most three times what he sent (RFC 9175).
/// </summary>
/// <remarks>
/// At most one datagram answers each at once, piggybacked on the acknowledgement of a confirmable one; those of slow resources come
/// later, from <see cref="TryTakeDue"/>.
/// </remarks>
public sealed partial class CoapServer
{
    private const int MaxPathChars = 256;
    private const int EchoKeyBytes = 32;
    private const string Discovery = ".well-known/core";

    /// <summary>How often what is over is looked for while nobody sends.</summary>
    private static readonly TimeSpan _tick = TimeSpan.FromSeconds(10);

    private readonly Dictionary<string, (CoapResource Resource, CoapFunction Function)> _resources = new(StringComparer.Ordinal);
    private readonly ArrayBufferWriter<byte> _body = new();
    private readonly CoapServerLimits _limits;
    private readonly DatagramSocketInfo _socket;
    private readonly CoapExchanges _exchanges;

    /// <summary>Of requests without effect, whose sender was to prove first where he is: who forges addresses fills this alone.</summary>
    private readonly CoapExchanges _strangers;
    private readonly CoapBodies _requests;
    private readonly CoapBodies _answers;
    private readonly CoapSeparateResponses _separate;
    private readonly CoapProvedPeers _proved;
    private readonly CoapEcho _echo;
    private readonly char[] _path = new char[MaxPathChars];
    private readonly byte[] _answer;
    private ushort _nextMessageId;
    private TimeSpan? _nextTick;
    private long _challenges;
    private long _unsent;
    private long _refusedBodies;

    /// <summary>A server without resources.</summary>
    /// <param name="limits">Its bounds.</param>
    /// <param name="socket">
    /// Its socket, and so where its first message ID, its jitter, and the secret by which it knows its Echo values again come from.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">A bound makes no sense.</exception>
    public CoapServer(CoapServerLimits limits, DatagramSocketInfo socket)
    {
        Span<byte> seed = stackalloc byte[sizeof(int)];
        byte[] echoKey = new byte[EchoKeyBytes];
        socket.FillRandom(seed);
        socket.FillRandom(echoKey);
        Random random = new(BinaryPrimitives.ReadInt32LittleEndian(seed));
        _socket = socket;
        limits.Validate();
        _limits = limits;
        _exchanges = new CoapExchanges(limits.MaxExchanges);
        _strangers = new CoapExchanges(limits.MaxExchanges);
        _requests = new CoapBodies(limits.MaxBodies, limits.MaxBodiesPerPeer, limits.BodyTimeout);
        _answers = new CoapBodies(limits.MaxBodies, limits.MaxBodiesPerPeer, limits.BodyTimeout);
        _separate = new CoapSeparateResponses(limits.MaxSeparateAnswers, random);
        _proved = new CoapProvedPeers(limits.MaxProvedPeers, limits.ProofLifetime);
        _echo = new CoapEcho(echoKey, limits.EchoWindow);
        _answer = new byte[limits.MaxMessageBytes];
        _nextMessageId = (ushort)random.Next();
        Add(Discovery, new CoapResource(List) { Methods = [CoapCode.Get], ContentFormat = CoapFormat.Links, HasEffect = false });
    }

    /// <summary>Exchanges remembered.</summary>
    public int Exchanges => _exchanges.Count + _strangers.Count;

    /// <summary>Exchanges forgotten before their lifetime's end for want of room: duplicates of them could have a second effect.</summary>
    public long EvictedExchanges => _exchanges.Evicted + _strangers.Evicted;

    /// <summary>Bodies on their way in blocks: requests' that are collected, and answers' that are kept.</summary>
    public int Bodies => _requests.Count + _answers.Count;

    /// <summary>Separate answers that wait to be sent or acknowledged.</summary>
    public int SeparateAnswers => _separate.Count;

    /// <summary>What it has refused, forgotten and lost.</summary>
    public CoapServerCounts Counts => new(
        EvictedExchanges,
        _challenges,
        _unsent,
        _refusedBodies,
        _requests.Evicted + _answers.Evicted,
        _requests.TimedOut,
        _separate.Lost);

    /// <summary>When <see cref="Tick"/>, and behind it <see cref="TryTakeDue"/>, is to be called at the latest; null for never.</summary>
    public TimeSpan? Deadline => _separate.Due is { } due && (_nextTick is not { } tick || due < tick) ? due : _nextTick;

    private bool IsIdle => Exchanges == 0 && Bodies == 0 && _proved.Count == 0;

    /// <summary>Adds a resource of all methods; see <see cref="CoapResource"/> for what else can be said of one.</summary>
    /// <param name="path">Without a slash before it, as <c>capitalize</c>.</param>
    /// <param name="resource">What answers.</param>
    /// <exception cref="ArgumentException">There is one at this path.</exception>
    public void Add(string path, CoapFunction resource) => Add(path, new CoapResource(resource));

    /// <summary>Adds a resource.</summary>
    /// <param name="path">Without a slash before it, as <c>capitalize</c> or <c>lamps/1</c>; up to 255 characters.</param>
    /// <param name="resource">What answers.</param>
    /// <exception cref="ArgumentException">There is one at this path, or the path is too long.</exception>
    public void Add(string path, CoapResource resource)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(path.Length, MaxPathChars, nameof(path));
        _resources.Add(path, (resource, resource.NewFunction(_socket)));
    }

    /// <summary>A datagram has arrived, at a server none of whose resources asks for the wall clock.</summary>
    /// <param name="datagram">From anyone; lent for the call.</param>
    /// <param name="from">Where it came from.</param>
    /// <param name="now">Since any start; never goes back.</param>
    /// <returns>The datagram to answer with, valid until the next call; empty for none.</returns>
    /// <exception cref="Exception">What the resource threw: the request is remembered, and a duplicate of it is answered 5.00.</exception>
    public ReadOnlySpan<byte> Received(ReadOnlySpan<byte> datagram, PeerAddress from, TimeSpan now) =>
        Received(datagram, new DatagramPath(from, default), now, DateTimeOffset.UnixEpoch);

    /// <summary>A datagram has arrived.</summary>
    /// <param name="datagram">From anyone; lent for the call.</param>
    /// <param name="path">Between whom.</param>
    /// <param name="now">Since any start; never goes back.</param>
    /// <param name="utcNow">The wall clock at the same moment.</param>
    /// <returns>The datagram to answer with, valid until the next call; empty for none.</returns>
    /// <exception cref="Exception">What the resource threw: the request is remembered, and a duplicate of it is answered 5.00.</exception>
    public ReadOnlySpan<byte> Received(ReadOnlySpan<byte> datagram, scoped in DatagramPath path, TimeSpan now, DateTimeOffset utcNow)
    {
        _exchanges.Expire(now);
        _strangers.Expire(now);
        CoapFormatError error = CoapMessage.TryRead(datagram, out CoapMessage message);
        if (error is CoapFormatError.TooShort or CoapFormatError.UnknownVersion)
        {
            return default;
        }

        if (error != CoapFormatError.None || !message.Code.IsRequest)
        {
            return Unasked(message, error, path.Peer);
        }

        bool isProved = IsProved(path.Peer, now);
        if (_exchanges.TryFind(path.Peer, message, now, out ReadOnlySpan<byte> before)
            || _strangers.TryFind(path.Peer, message, now, out before))
        {
            return isProved || before.Length <= Allowance(datagram) ? before : Unsent();
        }

        CoapExchangeContext call = new() { Datagram = datagram, Message = message, Path = path, At = new(now, utcNow), IsProved = isProved };
        try
        {
            return Answer(ref call);
        }
        finally
        {
            _nextTick = _nextTick is null && !IsIdle ? now + _tick : _nextTick;
        }
    }

    /// <summary>Time has passed: forgets what is over.</summary>
    /// <param name="now">On the same scale.</param>
    public void Tick(TimeSpan now)
    {
        _exchanges.Expire(now);
        _strangers.Expire(now);
        _requests.Expire(now);
        _answers.Expire(now);
        _proved.Expire(now);
        _nextTick = IsIdle ? null : _nextTick > now ? _nextTick : now + _tick;
    }

    /// <summary>
    /// Whether a peer has proved lately that it is where it says, so that it may get more than the amplification bound lets a stranger
    /// have. One of this machine need not.
    /// </summary>
    /// <param name="peer">Who.</param>
    /// <param name="now">On the same scale.</param>
    public bool IsProved(PeerAddress peer, TimeSpan now) =>
        _limits.MaxAmplification == 0 || peer.IsLoopback || _proved.Contains(peer, now);

    /// <summary>
    /// What is no request: a ping and whatever else must not be ignored is reset (RFC 7252 section 4.2); an acknowledgement or a reset
    /// ends a separate answer.
    /// </summary>
    private ReadOnlySpan<byte> Unasked(CoapMessage message, CoapFormatError error, PeerAddress peer)
    {
        if (message.Type == CoapType.Confirmable)
        {
            return Write(CoapType.Reset, default, message.MessageId, default, default);
        }

        if (error == CoapFormatError.None && message.Type is CoapType.Acknowledgement or CoapType.Reset)
        {
            _separate.Ended(peer, message.MessageId);
        }

        return default;
    }

    private long Allowance(ReadOnlySpan<byte> datagram) => (long)datagram.Length * _limits.MaxAmplification;

    private ReadOnlySpan<byte> Unsent()
    {
        _unsent++;
        return default;
    }

    private ReadOnlySpan<byte> Write(
        CoapType type, CoapResponse answer, ushort messageId, CoapToken token, ReadOnlySpan<byte> payload)
    {
        CoapWriter writer = new(_answer, type, answer.Code, messageId, token);
        answer.Write(ref writer, payload);
        return _answer.AsSpan(0, writer.Length);
    }

    /// <summary>RFC 6690.</summary>
    private CoapCode List(CoapRequest request, IBufferWriter<byte> body)
    {
        IEnumerable<string> links = _resources
            .Where(static each => each.Key != Discovery)
            .OrderBy(static each => each.Key, StringComparer.Ordinal)
            .Select(static each => each.Value.Resource.ContentFormat is { } format
                ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"</{each.Key}>;ct={format}")
                : $"</{each.Key}>");
        Encoding.UTF8.GetBytes(string.Join(",", links), body);
        return CoapCode.Content;
    }
}
