using Doorbell.Coap;

namespace Doorbell.Cli.Arguments;

/// <summary>Endpoints that may have a scheme of CoAP's.</summary>
internal static class CoapEndpoint
{
    /// <summary>Reads an endpoint.</summary>
    /// <exception cref="FormatException">It is none, or one that needs what Doorbell does not have.</exception>
    public static Endpoint Parse(string text)
    {
        RefuseEncrypted(text);
        return EndpointWord.Parse(text, CoapService.Scheme);
    }

    /// <summary>Refuses <c>coaps://</c>, and says why.</summary>
    /// <exception cref="FormatException">It is one.</exception>
    public static void RefuseEncrypted(string text)
    {
        if (text.StartsWith("coaps", StringComparison.OrdinalIgnoreCase) && CoapUri.IsMeant(text))
        {
            CoapUri.Parse(text);
        }
    }
}
