using System.Buffers;
using System.Runtime.ExceptionServices;
using System.Text;

namespace Doorbell;

/// <summary>
/// A CoAP server as a function of datagrams and the time: at most one answer to each datagram, piggybacked on the acknowledgement
/// of a confirmable one (RFC 7252 section 5.2.1). A request has its effect at most once, however often its datagram comes, while its
/// exchange is remembered (<see cref="CoapServerLimits.MaxExchanges"/>).
/// </summary>
/// <remarks>
/// Bodies must fit a datagram: a Block1 or Block2 option past the first block is answered 4.02, and an answer that is too large becomes
    /// 5.00 after its request has had its effect. It keeps no amplification bound: it
/// relies on <see cref="DatagramLimits.MaxAmplification"/>.
/// </remarks>
public sealed class CoapServer
{
    private const int LinkFormat = 40;
    private const string Discovery = ".well-known/core";
    private readonly SortedDictionary<string, CoapFunction> _resources = new(StringComparer.Ordinal);
    private readonly ArrayBufferWriter<byte> _body = new();
    private readonly CoapServerLimits _limits;
    private readonly CoapExchanges _exchanges;
    private readonly byte[] _answer;
    private ushort _nextMessageId;

    /// <summary>A server without resources.</summary>
    /// <param name="limits">Its bounds.</param>
    /// <param name="random">Where its first message ID comes from.</param>
    public CoapServer(CoapServerLimits limits, Random random)
    {
        _limits = limits;
        _exchanges = new CoapExchanges(limits.MaxExchanges);
        _answer = new byte[limits.MaxMessageBytes];
        _nextMessageId = (ushort)random.Next();
    }

    /// <summary>Exchanges remembered.</summary>
    public int Exchanges => _exchanges.Count;

    /// <summary>Exchanges forgotten before their lifetime's end for want of room: duplicates of them could have a second effect.</summary>
    public long EvictedExchanges => _exchanges.Evicted;

    /// <summary>Adds a resource.</summary>
    /// <param name="path">Without a slash before it, as <c>capitalize</c>.</param>
    /// <param name="resource">What answers.</param>
    public void Add(string path, CoapFunction resource) => _resources.Add(path, resource);

    /// <summary>A datagram has arrived.</summary>
    /// <param name="datagram">From anyone; lent for the call.</param>
    /// <param name="from">Where it came from.</param>
    /// <param name="now">Since any start; never goes back.</param>
    /// <returns>The datagram to answer with, valid until the next call; empty for none.</returns>
    /// <exception cref="Exception">What the resource threw: the request is remembered, and a duplicate of it is answered 5.00.</exception>
    public ReadOnlySpan<byte> Received(ReadOnlySpan<byte> datagram, PeerAddress from, TimeSpan now)
    {
        _exchanges.Expire(now);
        CoapFormatError error = CoapMessage.TryRead(datagram, out CoapMessage message);
        if (error is CoapFormatError.TooShort or CoapFormatError.UnknownVersion)
        {
            return default;
        }

        if (error != CoapFormatError.None || !message.Code.IsRequest)
        {
            return message.Type == CoapType.Confirmable ? Write(CoapType.Reset, default, message.MessageId, default) : default;
        }

        byte[]? before = _exchanges.Find(from, message, now);
        return before is not null ? before : Answer(message, from, now);
    }

    /// <summary>Time has passed: forgets the exchanges that are over.</summary>
    /// <param name="now">On the same scale.</param>
    public void Tick(TimeSpan now) => _exchanges.Expire(now);

    private ReadOnlySpan<byte> Answer(CoapMessage request, PeerAddress from, TimeSpan now)
    {
        bool confirmable = request.Type == CoapType.Confirmable;
        StringBuilder path = new();
        bool understood = TryReadOptions(request.Options, path);
        if (!understood && !confirmable)
        {
            return default;
        }

        _body.ResetWrittenCount();
        string name = path.ToString();
        ExceptionDispatchInfo? fault = null;
        CoapCode code = understood ? Call(request, name, out fault) : CoapCode.BadOption;
        ReadOnlySpan<byte> answer = Write(
            confirmable ? CoapType.Acknowledgement : CoapType.NonConfirmable,
            code,
            confirmable ? request.MessageId : _nextMessageId++,
            request.Token,
            name == Discovery);
        _exchanges.Add(from, request, answer, now);
        fault?.Throw();
        return answer;
    }

    private CoapCode Call(CoapMessage request, string path, out ExceptionDispatchInfo? fault)
    {
        fault = null;
        if (path == Discovery)
        {
            string links = string.Join(",", _resources.Keys.Select(static name => $"</{name}>"));
            Encoding.UTF8.GetBytes(links, _body);
            return request.Code == CoapCode.Get ? CoapCode.Content : CoapCode.MethodNotAllowed;
        }

        try
        {
            return _resources.TryGetValue(path, out CoapFunction? resource) ? resource(request, _body) : CoapCode.NotFound;
        }
        catch (Exception thrown)
        {
            fault = ExceptionDispatchInfo.Capture(thrown);
            _body.ResetWrittenCount();
            return CoapCode.InternalServerError;
        }
    }

    private ReadOnlySpan<byte> Write(CoapType type, CoapCode code, ushort messageId, CoapToken token, bool isLinks = false)
    {
        bool fits = code == default || _body.WrittenCount + 16 <= _limits.MaxMessageBytes;
        CoapWriter writer = new(_answer, type, fits ? code : CoapCode.InternalServerError, messageId, token);
        if (isLinks && fits)
        {
            writer.Option(CoapOptionNumber.ContentFormat, LinkFormat);
        }

        writer.Payload(fits && code != default ? _body.WrittenSpan : default);
        return _answer.AsSpan(0, writer.Length);
    }

    private static bool TryReadOptions(CoapOptions options, StringBuilder path)
    {
        foreach (CoapOption option in options)
        {
            switch (option.Number)
            {
                case CoapOptionNumber.UriPath:
                    path.Append(path.Length > 0 ? "/" : "").Append(Encoding.UTF8.GetString(option.Value));
                    break;
                case CoapOptionNumber.UriHost or CoapOptionNumber.UriPort or CoapOptionNumber.UriQuery:
                    break;
                case CoapOptionNumber.Block1 or CoapOptionNumber.Block2:
                    if (!CoapBlock.TryRead(option, out CoapBlock block) || block.Number > 0 || block.More)
                    {
                        return false;
                    }

                    break;
                default:
                    if (CoapOptionNumber.IsCritical(option.Number))
                    {
                        return false;
                    }

                    break;
            }
        }

        return true;
    }
}
