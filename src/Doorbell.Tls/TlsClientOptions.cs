using System.Security.Cryptography.X509Certificates;

namespace Doorbell.Tls;

/// <summary>Whom a client trusts, and what it shows.</summary>
public sealed record TlsClientOptions
{
    /// <summary>Trusts the authorities that the system trusts.</summary>
    public static TlsClientOptions Default { get; } = new();

    /// <summary>
    /// The name that the server's certificate has to be for, which the server is told as well (RFC 6066 section 3). Default null: the host
    /// of the endpoint.
    /// </summary>
    public string? ServerName { get; init; }

    /// <summary>The authorities that are trusted in the place of the system's. Default null: the system's.</summary>
    public X509Certificate2Collection? Authorities { get; init; }

    /// <summary>
    /// The SHA-256 of certificates in 64 hexadecimal digits: the server has to show one of them, and then no authority and no name
    /// matters. Default none.
    /// </summary>
    public IReadOnlyList<string> Pins { get; init; } = [];

    /// <summary>
    /// Whether any certificate is accepted: the connection is then encrypted, and whoever stands between can read and change all of it.
    /// Default false.
    /// </summary>
    public bool AcceptsAnyCertificate { get; init; }

    /// <summary>What is shown to a server that asks for a certificate. Default null: nothing.</summary>
    public TlsCertificate? Certificate { get; init; }

    /// <summary>Which protocols are offered by ALPN (RFC 7301), the best first. Default none.</summary>
    public IReadOnlyList<string> ApplicationProtocols { get; init; } = [];

    /// <summary>Reads a pin as people write it.</summary>
    /// <param name="text">64 hexadecimal digits, perhaps with colons between the bytes, perhaps behind <c>sha256:</c>.</param>
    /// <returns>The digits alone, in lower case.</returns>
    /// <exception cref="FormatException">It is none; the message is one line.</exception>
    public static string ParsePin(string text)
    {
        const string Prefix = "sha256:";
        string digits = text.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase) ? text[Prefix.Length..] : text;
        digits = digits.Replace(":", "", StringComparison.Ordinal);
        return digits.Length == 64 && digits.All(char.IsAsciiHexDigit)
            ? digits.ToLowerInvariant()
            : throw new FormatException(
                $"\"{PrintableText.Escape(text)}\" is no SHA-256 of a certificate: it is sha256: and 64 hexadecimal digits");
    }

    /// <summary>Refuses what makes no sense.</summary>
    /// <exception cref="ArgumentException">A protocol's name is not one of 1 to 255 bytes.</exception>
    /// <exception cref="FormatException">A pin is none.</exception>
    public void Validate()
    {
        TlsProtocols.Validate(ApplicationProtocols);
        foreach (string pin in Pins)
        {
            _ = ParsePin(pin);
        }
    }
}
