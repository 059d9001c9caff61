using Doorbell.Coap.Codec;

namespace Doorbell.Coap.Client;

/// <summary>
/// A client's acknowledgements and resets that wait to be sent, and the separate responses that it has acknowledged, so that it knows them
/// when they come again.
/// </summary>
/// <param name="isSilent">
/// Whether none is sent, as the socket is to a group: all its servers would get what is meant for one (RFC 7252 section 8.1).
/// </param>
internal sealed class CoapNotices(bool isSilent)
{
    /// <summary>Most notices that wait; a peer that gets none sends again.</summary>
    private const int MaxWaiting = 64;

    /// <summary>How many acknowledged responses are known.</summary>
    private const int MaxRemembered = 32;

    private readonly Queue<(CoapType Type, ushort MessageId)> _waiting = new();
    private readonly byte[] _datagram = new byte[CoapMessage.HeaderBytes];
    private readonly int[] _acknowledged = [.. Enumerable.Repeat(-1, MaxRemembered)];
    private int _next;

    public void Reset(ushort messageId) => Add(CoapType.Reset, messageId);

    public void Acknowledge(ushort messageId)
    {
        Add(CoapType.Acknowledgement, messageId);
        _acknowledged[_next] = messageId;
        _next = (_next + 1) % MaxRemembered;
    }

    /// <summary>Acknowledges a message again; false if it was not acknowledged before.</summary>
    public bool TryAcknowledgeAgain(ushort messageId)
    {
        if (Array.IndexOf(_acknowledged, messageId) < 0)
        {
            return false;
        }

        Add(CoapType.Acknowledgement, messageId);
        return true;
    }

    /// <summary>The next notice's datagram, valid until the next call.</summary>
    public bool TryTake(out ReadOnlySpan<byte> datagram)
    {
        if (!_waiting.TryDequeue(out (CoapType Type, ushort MessageId) notice))
        {
            datagram = default;
            return false;
        }

        _ = new CoapWriter(_datagram, notice.Type, CoapCode.Empty, notice.MessageId, default);
        datagram = _datagram;
        return true;
    }

    private void Add(CoapType type, ushort messageId)
    {
        if (_waiting.Count < MaxWaiting && !isSilent)
        {
            _waiting.Enqueue((type, messageId));
        }
    }
}
