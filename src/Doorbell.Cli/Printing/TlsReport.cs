using Doorbell.Cli.Arguments;

namespace Doorbell.Cli.Printing;

/// <summary>What <c>serve</c> and <c>relay</c> print of their TLS.</summary>
internal static class TlsReport
{
    /// <summary>By what clients may know the certificate that was made for trying out.</summary>
    public static void SelfSigned(ServedTls? tls, bool json)
    {
        if (tls?.SelfSigned is { } certificate)
        {
            JsonLine.Print(
                json,
                $"self-signed certificate, which clients trust by --pin sha256:{certificate.Fingerprint}",
                writer =>
                {
                    writer.WriteString("event", "self-signed");
                    writer.WriteString("sha256", certificate.Fingerprint);
                });
        }
    }
}
