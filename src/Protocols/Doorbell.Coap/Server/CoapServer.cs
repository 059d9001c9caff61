using System.Runtime.ExceptionServices;
using Doorbell.Coap.Codec;
using Doorbell.Coap.Server;
using Doorbell.Sessions;

namespace Doorbell.Coap;

/// <summary>
/// A CoAP server as a function of datagrams and the time (RFC 7252). A request has its effect at most once, however often its datagram
/// comes, while its exchange is remembered (<see cref="CoapServerLimits.MaxExchanges"/>). Bodies larger than one block come and leave in
/// blocks (RFC 7959). A peer that has not proved its address gets at most three times the bytes that it sent (RFC 9175).
/// </summary>
/// <remarks>
/// A datagram has at most one response at once, piggybacked on the acknowledgement of a confirmable request; those of slow resources come
/// later, from <see cref="TryTakeDue"/>. Not thread-safe.
/// </remarks>
public sealed class CoapServer
{
    private const int EchoKeyBytes = 32;

    /// <summary>How often the server looks for what it may forget while nobody sends.</summary>
    private static readonly TimeSpan _tick = TimeSpan.FromSeconds(10);

    private readonly CoapResources _resources;
    private readonly CoapExchanges _exchanges;

    /// <summary>
    /// Exchanges without effect, of peers that were to prove their addresses first. They are apart, so that who forges addresses fills this
    /// table alone.
    /// </summary>
    private readonly CoapExchanges _unprovedExchanges;
    private readonly CoapBlockwise _blockwise;
    private readonly CoapSeparateResponses _separate;
    private readonly CoapObservers _observers;
    private readonly CoapAddressProof _proof;
    private readonly CoapResponseWriter _writer;
    private readonly CoapRequestProcessor _processor;

    /// <summary>Null unless the socket is a multicast group's.</summary>
    private readonly CoapGroup? _group;
    private TimeSpan? _nextTick;

    /// <summary>What an observed resource has thrown. Its notification goes out before it is told.</summary>
    private ExceptionDispatchInfo? _fault;

    /// <summary>A server without resources.</summary>
    /// <param name="limits">Its limits.</param>
    /// <param name="socket">
    /// Its socket: the source of the jitter, and of the secret by which the server knows its Echo values again.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">A limit makes no sense.</exception>
    public CoapServer(CoapServerLimits limits, DatagramSocketInfo socket)
    {
        limits.Validate();
        byte[] echoKey = new byte[EchoKeyBytes];
        socket.FillRandom(echoKey);
        CoapRandom random = new(socket);
        _resources = new CoapResources(socket);
        _exchanges = new CoapExchanges(limits.MaxExchanges);
        _unprovedExchanges = new CoapExchanges(limits.MaxExchanges);
        CoapBusyPeers busy = new();
        _separate = new CoapSeparateResponses(limits.MaxSeparateAnswers, random, busy);
        _observers = new CoapObservers(limits, random, busy);
        _group = CoapGroupAddress.Is(socket.Door) ? new CoapGroup(_separate, random) : null;
        _proof = new CoapAddressProof(limits, echoKey);
        _blockwise = new CoapBlockwise(limits, _proof);
        _writer = new CoapResponseWriter(limits.MaxMessageBytes);
        CoapObservers? observers = _group is null ? _observers : null;
        _processor = new CoapRequestProcessor(
            _resources, _proof, _blockwise, _exchanges, _unprovedExchanges, _separate, observers, _writer);
    }

    /// <summary>Exchanges remembered.</summary>
    public int Exchanges => _exchanges.Count + _unprovedExchanges.Count;

    /// <summary>Exchanges forgotten before their lifetime's end for want of room: duplicates of them could have a second effect.</summary>
    public long EvictedExchanges => _exchanges.Evicted + _unprovedExchanges.Evicted;

    /// <summary>Bodies on their way in blocks: those of requests that are collected, and those of responses that are kept.</summary>
    public int Bodies => _blockwise.Count;

    /// <summary>Separate responses that wait to be sent or acknowledged.</summary>
    public int SeparateAnswers => _separate.Count;

    /// <summary>Observations of resources (RFC 7641).</summary>
    public int Observations => _observers.Count;

    /// <summary>What the server has refused, forgotten and lost.</summary>
    public CoapServerCounts Counts => new(
        EvictedExchanges,
        _proof.Challenges,
        _processor.Unsent,
        _blockwise.Refused,
        _blockwise.Evicted,
        _blockwise.TimedOut,
        _separate.Lost,
        _observers.Refused,
        _observers.Lost);

    /// <summary>When <see cref="Tick"/>, and behind it <see cref="TryTakeDue"/>, is to be called at the latest; null for never.</summary>
    public TimeSpan? Deadline => _fault is not null ? TimeSpan.Zero : Earlier(Earlier(_separate.Due, _observers.Due), _nextTick);

    private bool IsAtRest => Exchanges == 0 && Bodies == 0 && _proof.Count == 0;

    /// <summary>Adds a resource of all methods; <see cref="CoapResource"/> has what else can be said of one.</summary>
    /// <param name="path">As <c>capitalize</c>; a slash before it is left out.</param>
    /// <param name="resource">The function that answers.</param>
    /// <exception cref="ArgumentException">There is a resource at this path already, or the path is too long.</exception>
    public void Add(string path, CoapFunction resource) => Add(path, new CoapResource(resource));

    /// <summary>Adds a resource.</summary>
    /// <param name="path">As <c>capitalize</c> or <c>lamps/1</c>; a slash before it is left out. Up to 255 characters.</param>
    /// <param name="resource">The resource.</param>
    /// <exception cref="ArgumentException">
    /// There is a resource at this path already, the path is too long, or an attribute can't be written.
    /// </exception>
    public void Add(string path, CoapResource resource)
    {
        CoapServedResource served = _resources.Add(path, resource);
        if (resource.IsObservable)
        {
            _observers.Add(served);
        }
    }

    /// <summary>Where changes are said that are to be told: after each, <see cref="TryTakeDue"/> is to be called.</summary>
    internal IEnumerable<CoapChanges> Changes => _observers.Changes;

    /// <summary>A datagram has arrived, at a server none of whose resources asks for the wall clock.</summary>
    /// <param name="datagram">From anyone; lent for the call.</param>
    /// <param name="from">The peer's address.</param>
    /// <param name="now">Since any start; never goes back.</param>
    /// <returns>The datagram to answer with, valid until the next call; empty for none.</returns>
    /// <exception cref="Exception">What the resource threw: the request is remembered, and a duplicate of it is answered 5.00.</exception>
    public ReadOnlySpan<byte> Received(ReadOnlySpan<byte> datagram, PeerAddress from, TimeSpan now) =>
        Received(datagram, new DatagramPath(from, default), now, DateTimeOffset.UnixEpoch);

    /// <summary>A datagram has arrived.</summary>
    /// <param name="datagram">From anyone; lent for the call.</param>
    /// <param name="path">The peer's address and ours.</param>
    /// <param name="now">Since any start; never goes back.</param>
    /// <param name="utcNow">The wall clock at the same moment.</param>
    /// <returns>The datagram to answer with, valid until the next call; empty for none.</returns>
    /// <exception cref="Exception">What the resource threw: the request is remembered, and a duplicate of it is answered 5.00.</exception>
    public ReadOnlySpan<byte> Received(ReadOnlySpan<byte> datagram, scoped in DatagramPath path, TimeSpan now, DateTimeOffset utcNow)
    {
        _exchanges.Expire(now);
        _unprovedExchanges.Expire(now);
        _observers.Look(now);
        CoapFormatError error = CoapMessage.TryRead(datagram, out CoapMessage message);
        bool isForNobody = _group is not null && !CoapGroup.Takes(message, error);
        if (isForNobody || error is CoapFormatError.TooShort or CoapFormatError.UnknownVersion)
        {
            return default;
        }

        if (error != CoapFormatError.None || !message.Code.IsRequest)
        {
            return NoRequest(message, error, path.Peer, now);
        }

        bool isProved = IsProved(path.Peer, now);
        if (_exchanges.TryFind(path.Peer, message, now, out ReadOnlySpan<byte> before)
            || _unprovedExchanges.TryFind(path.Peer, message, now, out before))
        {
            if (_group is not null)
            {
                return default; // its answer is on its way, or was
            }

            return isProved || before.Length <= _proof.Allowance(datagram) ? before : _processor.Withhold();
        }

        CoapExchangeContext exchange = new()
        {
            Datagram = datagram,
            Message = message,
            Path = path,
            At = new CoapMoment(now, utcNow),
            IsProved = isProved,
            Leisure = _group?.Leisure() ?? TimeSpan.Zero,
        };
        try
        {
            ReadOnlySpan<byte> answer = _processor.Process(ref exchange);
            _group?.Add(answer, path, now);
            return _group is null ? answer : default;
        }
        finally
        {
            _nextTick = _nextTick is null && !IsAtRest ? now + _tick : _nextTick;
        }
    }

    /// <summary>Time has passed: forgets what is over.</summary>
    /// <param name="now">On the scale of <see cref="Received(ReadOnlySpan{byte}, PeerAddress, TimeSpan)"/>.</param>
    public void Tick(TimeSpan now)
    {
        _exchanges.Expire(now);
        _unprovedExchanges.Expire(now);
        _blockwise.Expire(now);
        _proof.Expire(now);
        _nextTick = IsAtRest ? null : _nextTick > now ? _nextTick : now + _tick;
    }

    /// <summary>
    /// The next datagram to send that answers none just received: the response of a slow resource, computed now, or one that is sent
    /// again as nobody has acknowledged it. To be called until there is none, whenever <see cref="Deadline"/> has come.
    /// </summary>
    /// <param name="now">On the scale of <see cref="Received(ReadOnlySpan{byte}, PeerAddress, TimeSpan)"/>.</param>
    /// <param name="utcNow">The wall clock at the same moment.</param>
    /// <param name="path">The peer's address and the one of ours that it knows.</param>
    /// <param name="datagram">The datagram, valid until the next call.</param>
    /// <returns>Whether there is one.</returns>
    /// <exception cref="Exception">What the resource threw: the response is 5.00, which the next call gives.</exception>
    public bool TryTakeDue(TimeSpan now, DateTimeOffset utcNow, out DatagramPath path, out ReadOnlySpan<byte> datagram)
    {
        path = default;
        datagram = default;
        if (_fault is { } fault)
        {
            _fault = null;
            fault.Throw();
        }

        while (_separate.TakeDue(now) is { } due)
        {
            if (due.Datagram is null)
            {
                _processor.Compute(due, new CoapMoment(now, utcNow));
            }

            _separate.Sent(due, now);
            if (_group is null || CoapGroup.IsOfUse(due.Datagram))
            {
                path = due.Path;
                datagram = due.Datagram;
                _observers.LookAgain();
                return true;
            }
        }

        return TryTakeNotification(new CoapMoment(now, utcNow), ref path, ref datagram);
    }

    /// <summary>
    /// Whether a peer has proved its address lately, so that it may get more than the amplification bound allows an unproved one. A peer of
    /// this machine need not prove it.
    /// </summary>
    /// <param name="peer">The peer's address.</param>
    /// <param name="now">On the scale of <see cref="Received(ReadOnlySpan{byte}, PeerAddress, TimeSpan)"/>.</param>
    public bool IsProved(PeerAddress peer, TimeSpan now) => _proof.IsProved(peer, now);

    private static TimeSpan? Earlier(TimeSpan? left, TimeSpan? right) => left is { } first && !(right < first) ? first : right;

    private bool TryTakeNotification(CoapMoment at, ref DatagramPath path, ref ReadOnlySpan<byte> datagram)
    {
        if (_observers.TakeDue(at.Now) is not { } observer)
        {
            return false;
        }

        _fault = observer.Next is null ? null : _processor.Notify(observer, at);
        _observers.Sent(observer, at.Now);
        path = observer.Path;
        datagram = observer.Datagram;
        return true;
    }

    /// <summary>
    /// A message that is no request: a ping, and whatever else must not be ignored, is reset (RFC 7252 section 4.2); an acknowledgement
    /// or a reset ends a separate response.
    /// </summary>
    private ReadOnlySpan<byte> NoRequest(CoapMessage message, CoapFormatError error, PeerAddress peer, TimeSpan now)
    {
        if (message.Type == CoapType.Confirmable)
        {
            return _writer.Write(CoapType.Reset, default, message.MessageId, default, default);
        }

        if (error == CoapFormatError.None && message.Type is CoapType.Acknowledgement or CoapType.Reset)
        {
            _separate.Ended(peer, message.MessageId);
            _observers.Ended(peer, message.MessageId, message.Type == CoapType.Reset, now);
        }

        return default;
    }
}
