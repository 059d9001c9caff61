using System.Text.Json;
using Doorbell.Cli.Arguments;

namespace Doorbell.Cli.Printing;

/// <summary>What <c>serve</c> and <c>relay</c> print of their TLS.</summary>
internal static class TlsReport
{
    /// <summary>By what clients may know the certificate that was made for trying out.</summary>
    /// <param name="tls">What is served.</param>
    /// <param name="print">Prints a line for people, or the same as JSON.</param>
    public static void SelfSigned(ServedTls? tls, Action<string, Action<Utf8JsonWriter>> print)
    {
        if (tls?.SelfSigned is { } certificate)
        {
            print(
                $"self-signed certificate, which clients trust by --pin sha256:{certificate.Fingerprint}",
                writer =>
                {
                    writer.WriteString("event", "self-signed");
                    writer.WriteString("sha256", certificate.Fingerprint);
                });
        }
    }
}
