using Doorbell.Coap;

namespace Doorbell.Cli.Verbs;

/// <summary>Says why a CoAP server did not do what it was asked.</summary>
internal static class CoapRefusal
{
    /// <summary>What the server has refused, in one line.</summary>
    public static string Of(CoapUri uri, CoapClientResponse answer)
    {
        string said = PrintableText.Escape(answer.Body);
        string reason = said.Length > 0 ? $" ({said})" : "";
        bool isUnknown = answer.Code == CoapCode.NotFound || answer.Code == CoapCode.MethodNotAllowed;
        string advice = isUnknown ? $"; `doorbell ask --method GET {uri.Server}/.well-known/core` lists what there is" : "";
        return $"ask {uri}: the server answered {answer.Code} {Phrase(answer.Code)}{reason}{advice}";
    }

    /// <summary>RFC 7252 section 12.1.2, RFC 7959 section 6.2.</summary>
    private static string Phrase(CoapCode code) => code.Value switch
    {
        0x80 => "Bad Request",
        0x81 => "Unauthorized",
        0x82 => "Bad Option",
        0x83 => "Forbidden",
        0x84 => "Not Found",
        0x85 => "Method Not Allowed",
        0x86 => "Not Acceptable",
        0x88 => "Request Entity Incomplete",
        0x8c => "Precondition Failed",
        0x8d => "Request Entity Too Large",
        0x8f => "Unsupported Content-Format",
        0xa0 => "Internal Server Error",
        0xa1 => "Not Implemented",
        0xa2 => "Bad Gateway",
        0xa3 => "Service Unavailable",
        0xa4 => "Gateway Timeout",
        0xa5 => "Proxying Not Supported",
        _ => code.Class == 4 ? "client error" : "server error",
    };
}
