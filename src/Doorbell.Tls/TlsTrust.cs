using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Doorbell.Tls;

/// <summary>Whether a peer's certificate is trusted. Nothing is fetched from the network for it: the lane does not wait.</summary>
internal static class TlsTrust
{
    /// <summary>How the chain is built.</summary>
    /// <param name="authorities">Those that are trusted; null for the system's.</param>
    public static X509ChainPolicy Policy(X509Certificate2Collection? authorities)
    {
        X509ChainPolicy policy = new()
        {
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
            TrustMode = authorities is null ? X509ChainTrustMode.System : X509ChainTrustMode.CustomRootTrust,
        };
        if (authorities is not null)
        {
            policy.CustomTrustStore.AddRange(authorities);
        }

        return policy;
    }

    /// <summary>Why a certificate is not trusted, for a log; null if it is.</summary>
    public static string? Refusal(X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors, string? name)
    {
        if (errors == SslPolicyErrors.None)
        {
            return null;
        }

        if (certificate is null)
        {
            return "the peer shows no certificate";
        }

        string subject = PrintableText.Escape(certificate.Subject);
        string shown = $"the peer's certificate ({subject}, sha256:{TlsCertificate.FingerprintOf(certificate)}) is not trusted: ";
        if ((errors & SslPolicyErrors.RemoteCertificateChainErrors) != 0 && chain is not null)
        {
            X509ChainStatus[] all = chain.ChainStatus;
            return shown + (all.Length == 0 ? "its chain can't be built" : string.Join(", ", all.Select(static one => Words(one.Status))));
        }

        return $"{shown}it is not for {(name is null ? "the server's name" : PrintableText.Escape(name))}";
    }

    private static string Words(X509ChainStatusFlags status) => status switch
    {
        X509ChainStatusFlags.UntrustedRoot => "its authority is unknown",
        X509ChainStatusFlags.PartialChain => "its authority is unknown or missing",
        X509ChainStatusFlags.NotTimeValid => "it is not valid at this time",
        X509ChainStatusFlags.NotSignatureValid => "its signature is wrong",
        X509ChainStatusFlags.NotValidForUsage => "it is for another use",
        X509ChainStatusFlags.Revoked => "it is revoked",
        _ => status.ToString(),
    };
}
