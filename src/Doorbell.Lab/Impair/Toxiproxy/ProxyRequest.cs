using System.Text.Json;
using Doorbell.Lab.Http;

namespace Doorbell.Lab.Impair.Toxiproxy;

/// <summary>A proxy that a client asks for.</summary>
internal sealed record ProxyRequest(string Name, Endpoint Listen, Endpoint Upstream, bool IsEnabled)
{
    /// <summary>Reads one.</summary>
    /// <param name="json">What a client has sent.</param>
    /// <param name="which">Of several, for an error.</param>
    /// <exception cref="HttpException">It is none.</exception>
    public static ProxyRequest Read(JsonElement json, string which)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            throw new HttpException(400, $"bad request body: no object{which}");
        }

        string name = Needed(json, "name", which);
        string upstream = Needed(json, "upstream", which);
        Toxic.RequireName(name);

        return new ProxyRequest(
            name, ProxyAddress.Read(JsonText.String(json, "listen") ?? "", "listen"), ProxyAddress.Read(upstream, "upstream"),
            JsonText.Boolean(json, "enabled") ?? true);
    }

    private static string Needed(JsonElement json, string field, string which) => JsonText.String(json, field) is { Length: > 0 } value
        ? value
        : throw new HttpException(400, $"missing required field: {field}{which}");
}
