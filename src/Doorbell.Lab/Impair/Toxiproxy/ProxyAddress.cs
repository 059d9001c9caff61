using Doorbell.Lab.Http;

namespace Doorbell.Lab.Impair.Toxiproxy;

/// <summary>An address as toxiproxy's clients write it, <c>127.0.0.1:22220</c>, and as an endpoint of this house.</summary>
internal static class ProxyAddress
{
    private const string Loopback = "127.0.0.1";

    /// <summary>
    /// Without a host it is this machine alone, where toxiproxy opens all interfaces; an empty text is any free port. What has a scheme is
    /// an endpoint as everywhere.
    /// </summary>
    /// <exception cref="HttpException">It is none, or carries datagrams.</exception>
    public static Endpoint Read(string text, string field)
    {
        string whole = text.Length == 0 ? ":0" : text;
        if (!whole.Contains("://", StringComparison.Ordinal))
        {
            int colon = whole.LastIndexOf(':');
            string host = colon < 0 ? whole : whole[..colon];
            whole = $"tcp://{(host is "" or "localhost" ? Loopback : host)}{(colon < 0 ? "" : whole[colon..])}";
        }

        if (!Endpoint.TryParse(whole, out Endpoint? endpoint, out string? error))
        {
            throw new HttpException(400, $"bad request body: {field}: {PrintableText.Escape(error)}");
        }

        return endpoint.IsStream
            ? endpoint
            : throw new HttpException(400, $"bad request body: {field} is an address of TCP, as in 127.0.0.1:22220, or a unix socket's");
    }

    public static string Text(Endpoint endpoint)
    {
        string text = endpoint.ToString();
        return endpoint.Transport == Transport.Tcp ? text["tcp://".Length..] : text;
    }
}
