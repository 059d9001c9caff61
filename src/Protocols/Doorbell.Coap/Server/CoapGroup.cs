using Doorbell.Coap.Codec;
using Doorbell.Sessions;

namespace Doorbell.Coap.Server;

/// <summary>
/// How a member of a multicast group answers (RFC 7252 section 8.2): to non-confirmable requests alone, with nothing that is of no use to
/// the client, and not at once, since all members answer the same request.
/// </summary>
internal sealed class CoapGroup(CoapSeparateResponses responses, CoapRandom random)
{
    /// <summary>DEFAULT_LEISURE (RFC 7252 section 8.2): over so long the members' answers are spread.</summary>
    private static readonly TimeSpan _leisure = TimeSpan.FromSeconds(5);

    /// <summary>A group is asked by non-confirmable requests alone (section 8.1). Anything else is ignored, and never reset.</summary>
    public static bool Takes(scoped in CoapMessage message, CoapFormatError error) =>
        error == CoapFormatError.None && message.Code.IsRequest && message.Type == CoapType.NonConfirmable;

    /// <summary>
    /// Whether a response tells the client something. Of errors only the demand to prove its address does (RFC 9175 section 2.4), and an
    /// empty list does not.
    /// </summary>
    public static bool IsOfUse(ReadOnlySpan<byte> datagram)
    {
        if (datagram.IsEmpty || CoapMessage.TryRead(datagram, out CoapMessage message) != CoapFormatError.None)
        {
            return false;
        }

        return message.Code == CoapCode.Unauthorized
            || (message.Code.Class == 2 && (message.Code != CoapCode.Content || !message.Payload.IsEmpty));
    }

    /// <summary>A moment within the leisure.</summary>
    public TimeSpan Leisure() => _leisure * random.NextDouble();

    /// <summary>Keeps a response until its moment. Where there is no room it is lost, as the request could have been.</summary>
    public void Add(ReadOnlySpan<byte> datagram, DatagramPath path, TimeSpan now)
    {
        if (IsOfUse(datagram) && responses.TryMakeRoom(path.Peer))
        {
            _ = CoapMessage.TryRead(datagram, out CoapMessage message);
            responses.Add(new CoapSeparateResponse([], null, path, now + Leisure())
            {
                MessageId = message.MessageId, Datagram = datagram.ToArray(),
            });
        }
    }
}
