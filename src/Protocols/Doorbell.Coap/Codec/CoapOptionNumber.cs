using System.Globalization;

namespace Doorbell.Coap.Codec;

/// <summary>The numbers of options (RFC 7252 section 5.10, RFC 7959 section 2.1, RFC 9175 sections 2.2.1 and 3.2.1).</summary>
internal static class CoapOptionNumber
{
    /// <summary>The name the client called the server by; critical.</summary>
    public const int UriHost = 3;

    /// <summary>Names one version of a resource; up to 8 bytes.</summary>
    public const int ETag = 4;

    /// <summary>
    /// Of a request, 0 to observe the resource and 1 to end that; of a notification its sequence number (RFC 7641 section 2).
    /// </summary>
    public const int Observe = 6;

    /// <summary>The port the client called; critical.</summary>
    public const int UriPort = 7;

    /// <summary>A segment of the path; repeated, critical.</summary>
    public const int UriPath = 11;

    /// <summary>The format of the body, a number.</summary>
    public const int ContentFormat = 12;

    /// <summary>Seconds that the answer may be kept.</summary>
    public const int MaxAge = 14;

    /// <summary>An argument; repeated, critical.</summary>
    public const int UriQuery = 15;

    /// <summary>The only format that the client takes; critical.</summary>
    public const int Accept = 17;

    /// <summary>Which block of the answer; critical.</summary>
    public const int Block2 = 23;

    /// <summary>Which block of the request's body; critical.</summary>
    public const int Block1 = 27;

    /// <summary>The size of the answer's body.</summary>
    public const int Size2 = 28;

    /// <summary>What a proxy shall ask for; critical.</summary>
    public const int ProxyUri = 35;

    /// <summary>By which scheme a proxy shall ask; critical.</summary>
    public const int ProxyScheme = 39;

    /// <summary>The size of the request's body.</summary>
    public const int Size1 = 60;

    /// <summary>Bytes that the client sends back, so that the server knows that the client is where it says.</summary>
    public const int Echo = 252;

    /// <summary>Tells the blocks of one body from those of another; repeated.</summary>
    public const int RequestTag = 292;

    /// <summary>How a critical option is called in a text: its number, and its name if it has one in the RFCs above.</summary>
    /// <param name="number">The option's.</param>
    public static string NameOf(int number)
    {
        string name = number switch
        {
            1 => " (If-Match)",
            UriHost => " (Uri-Host)",
            5 => " (If-None-Match)",
            UriPort => " (Uri-Port)",
            9 => " (OSCORE)",
            UriPath => " (Uri-Path)",
            UriQuery => " (Uri-Query)",
            Accept => " (Accept)",
            Block2 => " (Block2)",
            Block1 => " (Block1)",
            _ => "",
        };
        return string.Create(CultureInfo.InvariantCulture, $"Option {number}{name}");
    }

    /// <summary>Whether a receiver that doesn't know the option must refuse the message (RFC 7252 section 5.4.1).</summary>
    /// <param name="number">The option's.</param>
    public static bool IsCritical(int number) => (number & 1) != 0;
}
