using Doorbell.Coap;
using Doorbell.Tls;

namespace Doorbell.Cli.Arguments;

/// <summary>Endpoints that may have a scheme of CoAP's, or that of TLS.</summary>
internal static class CoapEndpoint
{
    /// <summary>Reads an endpoint.</summary>
    /// <exception cref="FormatException">It is none, or one that needs what Doorbell does not have.</exception>
    public static Endpoint Parse(string text)
    {
        RefuseOtherSchemes(text);
        return EndpointWord.Parse(text, CoapService.Scheme, TlsScheme.Scheme);
    }

    /// <summary>Refuses <c>coaps://</c> and CoAP's other schemes, and says why.</summary>
    /// <exception cref="FormatException">It is one.</exception>
    public static void RefuseOtherSchemes(string text)
    {
        bool isOther = !text.StartsWith($"{CoapService.Scheme.Name}://", StringComparison.OrdinalIgnoreCase);
        if (isOther && CoapUri.IsMeant(text))
        {
            CoapUri.Parse(text);
        }
    }
}
