using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Doorbell.Tls;

/// <summary>A certificate with its private key, and the certificates that lead from it to its authority.</summary>
/// <remarks>Immutable; any thread may use it, and any number of connections.</remarks>
public sealed class TlsCertificate
{
    private const int SequenceTag = 0x30;

    private static readonly TimeSpan _selfSignedLife = TimeSpan.FromDays(90);

    private TlsCertificate(X509Certificate2 own, X509Certificate2Collection chain)
    {
        Certificate = own;
        // Offline: nothing is fetched from the network while a handshake is under way.
        Context = SslStreamCertificateContext.Create(own, chain, offline: true);
        Fingerprint = FingerprintOf(own);
    }

    /// <summary>The SHA-256 of the certificate in hexadecimal digits, by which a client may know it.</summary>
    public string Fingerprint { get; }

    /// <summary>The distinguished name of its owner (RFC 4514).</summary>
    public string Subject => Certificate.Subject;

    /// <summary>When it ends.</summary>
    public DateTimeOffset NotAfter => Certificate.NotAfter;

    /// <summary>The certificate without its private key, as a peer is shown it.</summary>
    public X509Certificate2 Public => X509CertificateLoader.LoadCertificate(Certificate.RawData);

    internal X509Certificate2 Certificate { get; }

    internal SslStreamCertificateContext Context { get; }

    /// <summary>Reads a certificate from a file.</summary>
    /// <param name="path">
    /// PEM (RFC 7468): the certificate, then those that lead to its authority, and its private key if <paramref name="keyPath"/> is null.
    /// Or PKCS #12 (PFX, RFC 7292) without a password.
    /// </param>
    /// <param name="keyPath">The file of the private key, in PEM without a password; null if it stands in the first file.</param>
    /// <exception cref="IOException">A file can't be read.</exception>
    /// <exception cref="UnauthorizedAccessException">A file may not be read.</exception>
    /// <exception cref="FormatException">It is no certificate, or the key is not its key; the message is one line.</exception>
    public static TlsCertificate Read(string path, string? keyPath = null)
    {
        byte[] bytes = File.ReadAllBytes(path);
        try
        {
            return bytes is [SequenceTag, ..] ? OfPfx(bytes) : OfPem(path, keyPath);
        }
        catch (Exception wrong) when (wrong is CryptographicException or ArgumentException)
        {
            string shown = PrintableText.Escape(path);
            string files = keyPath is null ? $"{shown} has" : $"{shown} and {PrintableText.Escape(keyPath)} have";
            throw new FormatException(
                $"{files} no certificate with its private key, in PEM or PFX and without a password: {FirstLine(wrong)}", wrong);
        }
    }

    /// <summary>Makes a certificate for trying out, which no client trusts unless it is told the <see cref="Fingerprint"/>.</summary>
    /// <param name="names">The host names and addresses that it is for; at least one.</param>
    /// <returns>An ECDSA key of P-256, for 90 days.</returns>
    public static TlsCertificate SelfSigned(params IReadOnlyList<string> names)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        X500DistinguishedNameBuilder subject = new();
        subject.AddCommonName(names[0]);
        CertificateRequest request = new(subject.Build(), key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder alternatives = new();
        foreach (string name in names)
        {
            if (System.Net.IPAddress.TryParse(name, out System.Net.IPAddress? address))
            {
                alternatives.AddIpAddress(address);
            }
            else
            {
                alternatives.AddDnsName(name);
            }
        }

        request.CertificateExtensions.Add(alternatives.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        DateTimeOffset now = DateTimeOffset.UtcNow;
        return new TlsCertificate(request.CreateSelfSigned(now - TimeSpan.FromHours(1), now + _selfSignedLife), []);
    }

    /// <summary>The certificates of authorities, of a file in PEM.</summary>
    /// <exception cref="IOException">The file can't be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    /// <exception cref="FormatException">It holds none; the message is one line.</exception>
    public static X509Certificate2Collection ReadAuthorities(string path)
    {
        X509Certificate2Collection all = [];
        string text = File.ReadAllText(path);
        try
        {
            all.ImportFromPem(text);
        }
        catch (CryptographicException wrong)
        {
            throw new FormatException($"{PrintableText.Escape(path)} has a certificate that can't be read: {FirstLine(wrong)}", wrong);
        }

        return all.Count > 0 ? all : throw new FormatException($"{PrintableText.Escape(path)} has no certificate in PEM");
    }

    internal static string FingerprintOf(X509Certificate certificate) =>
        Convert.ToHexStringLower(SHA256.HashData(certificate.GetRawCertData()));

    /// <summary>Whether it is for a host.</summary>
    internal bool IsFor(string host) => Uri.CheckHostName(host) != UriHostNameType.Unknown && Certificate.MatchesHostname(host);

    /// <summary>As PKCS #12 (RFC 7292), the private key included and not encrypted.</summary>
    public byte[] ToPfx() => Certificate.Export(X509ContentType.Pkcs12);

    /// <summary>Reads what <see cref="ToPfx"/> wrote.</summary>
    /// <param name="pfx">Without a password.</param>
    /// <exception cref="CryptographicException">It is none, or has no private key.</exception>
    public static TlsCertificate OfPfx(byte[] pfx)
    {
        X509Certificate2Collection all = X509CertificateLoader.LoadPkcs12Collection(pfx, password: null);
        X509Certificate2 own = all.FirstOrDefault(static each => each.HasPrivateKey)
            ?? throw new CryptographicException("there is no private key in it");
        all.Remove(own);
        return new TlsCertificate(own, all);
    }

    private static TlsCertificate OfPem(string path, string? keyPath)
    {
        X509Certificate2 own = X509Certificate2.CreateFromPemFile(path, keyPath);
        X509Certificate2Collection chain = [];
        chain.ImportFromPemFile(path);
        chain.RemoveAt(0);
        return new TlsCertificate(own, chain);
    }

    private static string FirstLine(Exception wrong) => PrintableText.Escape(
        wrong.Message.Split('\n')[0].Split(" (Parameter '")[0].TrimEnd('.', '\r'));
}
