namespace Doorbell.Tls;

/// <summary>Why TLS has failed, in one line for a log.</summary>
internal static class TlsFailure
{
    private const int MaxShownBytes = 32;

    /// <summary>Of what SslStream threw: OpenSSL's own reason stands innermost.</summary>
    public static string Of(Exception failure)
    {
        Exception inner = failure;
        while (inner.InnerException is { } cause)
        {
            inner = cause;
        }

        string text = inner.Message;
        int reason = text.LastIndexOf("::", StringComparison.Ordinal);
        text = reason >= 0 ? text[(reason + 2)..] : text;
        int alert = text.IndexOf(" alert ", StringComparison.Ordinal);
        return alert >= 0
            ? $"the peer ended the TLS handshake or connection with the alert {PrintableText.Escape(text[(alert + 7)..])}"
            : $"TLS failed: {PrintableText.Escape(text.Trim())}";
    }

    /// <summary>Of a peer whose first bytes are no record.</summary>
    public static string NoTls(ReadOnlySpan<byte> came) =>
        $"the peer does not speak TLS: it begins with \"{PrintableText.Escape(came[..Math.Min(came.Length, MaxShownBytes)])}\"";

    /// <summary>Of a peer that spoke TLS before.</summary>
    public static string NoRecord => "what came is no TLS record";
}
