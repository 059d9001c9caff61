using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.RegularExpressions;
using Doorbell.Lab.Http;

namespace Doorbell.Lab.Impair.Toxiproxy;

/// <summary>
/// What toxiproxy's HTTP API does, as its README describes version 2. One request at a time is carried out.
/// </summary>
/// <param name="seed">Of all chances.</param>
/// <param name="ownHost">A name by which clients may call it, beside addresses and localhost; null for none.</param>
/// <param name="report">Told in one line what the user should know; null for nobody.</param>
internal sealed partial class ToxiproxyApi(long seed, string? ownHost, Action<string>? report) : IAsyncDisposable
{
    public const int MaxProxies = 256;

    /// <summary>The version of toxiproxy whose API this is.</summary>
    private const string Version = "2.12.0";

    private readonly SortedDictionary<string, NamedProxy> _proxies = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _one = new(1, 1);
    private long _toxics;

    /// <summary>Carries a request out.</summary>
    public async Task<HttpAnswer> AnswerAsync(HttpRequest request)
    {
        await _one.WaitAsync().ConfigureAwait(false);
        try
        {
            RefuseBrowsers(request);
            return await RouteAsync(request).ConfigureAwait(false);
        }
        catch (HttpException refused)
        {
            return JsonText.Refusal(refused);
        }
        finally
        {
            _one.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _one.WaitAsync().ConfigureAwait(false);
        foreach (NamedProxy proxy in _proxies.Values)
        {
            await proxy.DisposeAsync().ConfigureAwait(false);
        }

        _one.Dispose();
    }

    /// <summary>
    /// A page that somebody reads must not rule their proxies. A browser tells who it is and where the page comes from. If the page has a
    /// name that its owner lets point to this machine (DNS rebinding), the name stands in Host.
    /// </summary>
    private void RefuseBrowsers(HttpRequest request)
    {
        if (request.Header("user-agent")?.StartsWith("Mozilla/", StringComparison.Ordinal) == true || request.Header("origin") is not null)
        {
            throw new HttpException(403, "User agent not allowed");
        }

        string host = request.Header("host") ?? "localhost";
        string name = HostName().Match(host).Groups["name"].Value;
        bool isOwn = name.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || (name.Length > 0 && name.Equals(ownHost, StringComparison.OrdinalIgnoreCase));
        if (!isOwn && !IsAddress(name))
        {
            throw new HttpException(403, $"\"{PrintableText.Escape(host)}\" is no name of this server: call it by its address");
        }
    }

    /// <summary>
    /// An address as it is usually written. inet_aton(3) takes others too, as 2130706433 for 127.0.0.1: no client of ours writes them.
    /// </summary>
    private static bool IsAddress(string name) => IPAddress.TryParse(name, out IPAddress? address)
        && (address.AddressFamily == AddressFamily.InterNetworkV6 || address.ToString() == name);

    /// <summary>A host or an address in brackets, and perhaps a port. A name may end in a dot, the root (RFC 1034 section 3.1).</summary>
    [GeneratedRegex(@"^(\[(?<name>[0-9A-Fa-f:.]+)\]|(?<name>[^:\[\]/@]+?)\.?)(:\d{1,5})?$", RegexOptions.ExplicitCapture)]
    private static partial Regex HostName();

    private async Task<HttpAnswer> RouteAsync(HttpRequest request)
    {
        string[] path = [.. request.Path.Trim('/').Split('/').Select(Uri.UnescapeDataString)];
        bool changes = request.Method is "POST" or "PATCH";
        return (request.Method, path) switch
        {
            ("GET", ["version"]) => JsonText.Answer(200, static writer =>
            {
                writer.WriteStartObject();
                writer.WriteString("version", Version);
                writer.WriteEndObject();
            }),
            ("GET", ["proxies"]) => JsonText.Answer(200, WriteProxies),
            ("POST", ["proxies"]) => await CreateAsync(request).ConfigureAwait(false),
            ("POST", ["populate"]) => await PopulateAsync(request).ConfigureAwait(false),
            ("POST", ["reset"]) => await ResetAsync().ConfigureAwait(false),
            ("GET", ["proxies", var name]) => JsonText.Answer(200, ProxyNamed(name).Write),
            (_, ["proxies", var name]) when changes => await UpdateAsync(ProxyNamed(name), request).ConfigureAwait(false),
            ("DELETE", ["proxies", var name]) => await DeleteAsync(ProxyNamed(name)).ConfigureAwait(false),
            ("GET", ["proxies", var name, "toxics"]) => JsonText.Answer(200, ProxyNamed(name).WriteToxics),
            ("POST", ["proxies", var name, "toxics"]) => AddToxic(ProxyNamed(name), request),
            ("GET", ["proxies", var name, "toxics", var toxic]) => JsonText.Answer(200, ProxyNamed(name).ToxicNamed(toxic).Write),
            (_, ["proxies", var name, "toxics", var toxic]) when changes => ChangeToxic(ProxyNamed(name), toxic, request),
            ("DELETE", ["proxies", var name, "toxics", var toxic]) => RemoveToxic(ProxyNamed(name), toxic),
            (_, ["version" or "proxies" or "populate" or "reset", ..]) => throw new HttpException(405, "method not allowed"),
            _ => throw new HttpException(404, "page not found"),
        };
    }

    private NamedProxy ProxyNamed(string name) =>
        _proxies.TryGetValue(name, out NamedProxy? proxy) ? proxy : throw new HttpException(404, "proxy not found");

    private void WriteProxies(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        foreach ((string name, NamedProxy proxy) in _proxies)
        {
            writer.WritePropertyName(name);
            proxy.Write(writer);
        }

        writer.WriteEndObject();
    }

    private async Task<HttpAnswer> CreateAsync(HttpRequest request)
    {
        ProxyRequest asked = ProxyRequest.Read(JsonText.Read(request, JsonValueKind.Object), "");
        if (_proxies.ContainsKey(asked.Name))
        {
            throw new HttpException(409, "proxy already exists");
        }

        NamedProxy proxy = await AddAsync(asked).ConfigureAwait(false);
        return JsonText.Answer(201, proxy.Write);
    }

    private async Task<NamedProxy> AddAsync(ProxyRequest asked)
    {
        if (_proxies.Count >= MaxProxies)
        {
            throw new HttpException(409, $"there are {MaxProxies} proxies, which is the most");
        }

        NamedProxy proxy = new(asked.Name, asked.Listen, asked.Upstream, seed, report);
        await proxy.ChangeAsync(asked.Listen, asked.Upstream, asked.IsEnabled).ConfigureAwait(false);
        _proxies.Add(asked.Name, proxy);
        return proxy;
    }

    /// <summary>All are looked at before the first one is made. If one can't be had, those before it stay, and both is said.</summary>
    private async Task<HttpAnswer> PopulateAsync(HttpRequest request)
    {
        ProxyRequest[] all = [.. JsonText.Read(request, JsonValueKind.Array).EnumerateArray()
            .Select(static (json, index) => ProxyRequest.Read(json, $" at proxy {index + 1}"))];
        List<NamedProxy> made = [];
        HttpException? refused = null;
        try
        {
            foreach (ProxyRequest asked in all)
            {
                made.Add(await AddOrReplaceAsync(asked).ConfigureAwait(false));
            }
        }
        catch (HttpException wrong)
        {
            refused = wrong;
        }

        return JsonText.Answer(refused?.Status ?? 201, writer =>
        {
            writer.WriteStartObject();
            if (refused is not null)
            {
                JsonText.WriteError(writer, refused);
            }

            writer.WriteStartArray("proxies");
            made.ForEach(proxy => proxy.Write(writer));
            writer.WriteEndArray();
            writer.WriteEndObject();
        });
    }

    /// <summary>One that is the same already is left as it is, toxics too.</summary>
    private async Task<NamedProxy> AddOrReplaceAsync(ProxyRequest asked)
    {
        if (_proxies.TryGetValue(asked.Name, out NamedProxy? old))
        {
            if (old.Listen == asked.Listen && old.Upstream == asked.Upstream)
            {
                return old;
            }

            await DeleteAsync(old).ConfigureAwait(false);
        }

        return await AddAsync(asked).ConfigureAwait(false);
    }

    private async Task<HttpAnswer> ResetAsync()
    {
        foreach (NamedProxy proxy in _proxies.Values)
        {
            await proxy.ChangeAsync(proxy.Listen, proxy.Upstream, isEnabled: true).ConfigureAwait(false);
            proxy.RemoveToxics();
        }

        return new HttpAnswer(204, Json: null);
    }

    private static async Task<HttpAnswer> UpdateAsync(NamedProxy proxy, HttpRequest request)
    {
        JsonElement json = JsonText.Read(request, JsonValueKind.Object);
        Endpoint listen = JsonText.String(json, "listen") is { Length: > 0 } here ? ProxyAddress.Read(here, "listen") : proxy.Listen;
        Endpoint upstream = JsonText.String(json, "upstream") is { Length: > 0 } there
            ? ProxyAddress.Read(there, "upstream")
            : proxy.Upstream;
        bool isEnabled = JsonText.Boolean(json, "enabled") ?? proxy.IsEnabled;
        await proxy.ChangeAsync(listen, upstream, isEnabled).ConfigureAwait(false);
        return JsonText.Answer(200, proxy.Write);
    }

    private async Task<HttpAnswer> DeleteAsync(NamedProxy proxy)
    {
        _proxies.Remove(proxy.Name);
        await proxy.DisposeAsync().ConfigureAwait(false);
        return new HttpAnswer(204, Json: null);
    }

    private HttpAnswer AddToxic(NamedProxy proxy, HttpRequest request)
    {
        Toxic toxic = Toxic.Read(JsonText.Read(request, JsonValueKind.Object), ++_toxics);
        proxy.Add(toxic);
        return JsonText.Answer(200, toxic.Write);
    }

    private static HttpAnswer ChangeToxic(NamedProxy proxy, string name, HttpRequest request)
    {
        Toxic old = proxy.ToxicNamed(name);
        Toxic changed = old.Changed(JsonText.Read(request, JsonValueKind.Object));
        proxy.Replace(old, changed);
        return JsonText.Answer(200, changed.Write);
    }

    private static HttpAnswer RemoveToxic(NamedProxy proxy, string name)
    {
        proxy.Remove(proxy.ToxicNamed(name));
        return new HttpAnswer(204, Json: null);
    }
}
