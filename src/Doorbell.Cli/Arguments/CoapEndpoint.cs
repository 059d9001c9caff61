using Doorbell.Coap;
using Doorbell.Tls;

namespace Doorbell.Cli.Arguments;

/// <summary>Endpoints that may have a scheme of CoAP's, or that of TLS.</summary>
internal static class CoapEndpoint
{
    /// <summary>CoAP's schemes that Doorbell has.</summary>
    public static IReadOnlyList<ApplicationScheme> Schemes { get; } = [CoapService.Scheme, CoapService.TcpScheme];

    /// <summary>Whether it is one of CoAP's, over UDP or TCP.</summary>
    public static bool Is(Endpoint endpoint) => endpoint.Application is { } scheme && Schemes.Contains(scheme);

    /// <summary>Reads an endpoint.</summary>
    /// <exception cref="FormatException">It is none, or one that needs what Doorbell does not have.</exception>
    public static Endpoint Parse(string text)
    {
        RefuseOtherSchemes(text);
        return EndpointWord.Parse(text, [.. Schemes, TlsScheme.Scheme]);
    }

    /// <summary>Refuses <c>coaps://</c> and CoAP's other schemes, and says why.</summary>
    /// <exception cref="FormatException">It is one.</exception>
    public static void RefuseOtherSchemes(string text)
    {
        bool isKnown = Schemes.Any(scheme => text.StartsWith($"{scheme.Name}://", StringComparison.OrdinalIgnoreCase));
        if (!isKnown && CoapUri.IsMeant(text))
        {
            CoapUri.Parse(text);
        }
    }
}
