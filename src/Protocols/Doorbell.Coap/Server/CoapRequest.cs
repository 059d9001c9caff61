using System.Text;
using Doorbell.Coap.Codec;
using Doorbell.Coap.Server;

namespace Doorbell.Coap;

/// <summary>A request as a resource sees it: whole, however many blocks its body came in. Lent for the call.</summary>
public readonly ref struct CoapRequest
{
    private readonly CoapOptions _options;

    internal CoapRequest(CoapMessage message, ReadOnlySpan<byte> body, PeerAddress from, CoapMoment at)
    {
        Method = message.Code;
        _options = message.Options;
        Payload = body;
        From = from;
        Now = at.Now;
        UtcNow = at.UtcNow;
    }

    /// <summary>GET, POST, PUT, DELETE, FETCH or another of class 0.</summary>
    public CoapCode Method { get; }

    /// <summary>The body's format, a number of the registry of RFC 7252 section 12.3; null if the client did not say it.</summary>
    public int? ContentFormat => Numeric(CoapOptionNumber.ContentFormat);

    /// <summary>The only format that the client takes; null for any.</summary>
    public int? Accept => Numeric(CoapOptionNumber.Accept);

    /// <summary>The whole body; may be empty.</summary>
    public ReadOnlySpan<byte> Payload { get; }

    /// <summary>The peer's address.</summary>
    public PeerAddress From { get; }

    /// <summary>Monotonic time since an arbitrary start.</summary>
    public TimeSpan Now { get; }

    /// <summary>The wall clock.</summary>
    public DateTimeOffset UtcNow { get; }

    /// <summary>The arguments behind the path, as <c>unit=celsius</c>, in their order (Uri-Query). Each call allocates them anew.</summary>
    public IReadOnlyList<string> ReadQuery()
    {
        List<string> arguments = [];
        foreach (CoapOption option in _options)
        {
            if (option.Number == CoapOptionNumber.UriQuery)
            {
                arguments.Add(Encoding.UTF8.GetString(option.Value));
            }
        }

        return arguments;
    }

    private int? Numeric(int number) => _options.TryGet(number, out CoapOption option) ? (int)option.Numeric : null;
}
