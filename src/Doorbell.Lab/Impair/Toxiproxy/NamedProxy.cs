using System.Text.Json;
using Doorbell.Lab.Http;
using Doorbell.Lab.Impair.Control;
using Doorbell.Lab.Impair.Faults;
using Doorbell.Lab.Impair.Proxies;

namespace Doorbell.Lab.Impair.Toxiproxy;

/// <summary>A proxy as toxiproxy has it: it has a name, can be turned off and on, and has toxics. For one caller at a time.</summary>
internal sealed class NamedProxy(string name, Endpoint listen, Endpoint upstream, long seed, Action<string>? report) : IAsyncDisposable
{
    public const int MaxToxics = 64;

    private readonly List<Toxic> _toxics = [];
    private readonly FaultControl _faults = new(streams: true, BothFaults.None, static () => { });
    private ImpairProxy? _proxy;
    private CancellationTokenSource? _stop;
    private Task? _carries;

    public string Name { get; } = name;

    /// <summary>With the actual port, from the first start on: it is the same when it is turned on again.</summary>
    public Endpoint Listen { get; private set; } = listen;

    public Endpoint Upstream { get; private set; } = upstream;

    public bool IsEnabled => _proxy is not null;

    /// <exception cref="HttpException">There is none.</exception>
    public Toxic ToxicNamed(string toxic) =>
        _toxics.Find(one => one.Name == toxic) ?? throw new HttpException(404, "toxic not found");

    /// <exception cref="HttpException">There is one of this name, or there are too many.</exception>
    public void Add(Toxic toxic)
    {
        if (_toxics.Exists(one => one.Name == toxic.Name))
        {
            throw new HttpException(409, "toxic already exists");
        }

        if (_toxics.Count == MaxToxics)
        {
            throw new HttpException(409, $"a proxy has at most {MaxToxics} toxics");
        }

        _toxics.Add(toxic);
        SetFaults();
    }

    public void Replace(Toxic toxic, Toxic by)
    {
        _toxics[_toxics.IndexOf(toxic)] = by;
        SetFaults();
    }

    public void Remove(Toxic toxic)
    {
        _toxics.Remove(toxic);
        SetFaults();
    }

    public void RemoveToxics()
    {
        _toxics.Clear();
        SetFaults();
    }

    /// <summary>Moves it, and turns it on or off. Where it stays as it is, its connections stay too.</summary>
    /// <exception cref="HttpException">It can't be had so. It is off then.</exception>
    public async Task ChangeAsync(Endpoint toListen, Endpoint toUpstream, bool isEnabled)
    {
        bool moves = toListen != Listen || toUpstream != Upstream;
        if (moves || !isEnabled)
        {
            await StopAsync().ConfigureAwait(false);
        }

        (Listen, Upstream) = (toListen, toUpstream);
        if (isEnabled && _proxy is null)
        {
            await StartAsync().ConfigureAwait(false);
        }
    }

    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("name", Name);
        writer.WriteString("listen", ProxyAddress.Text(Listen));
        writer.WriteString("upstream", ProxyAddress.Text(Upstream));
        writer.WriteBoolean("enabled", IsEnabled);
        writer.WritePropertyName("toxics");
        WriteToxics(writer);
        writer.WriteEndObject();
    }

    /// <summary>Those on the way up first.</summary>
    public void WriteToxics(Utf8JsonWriter writer)
    {
        writer.WriteStartArray();
        foreach (Toxic toxic in _toxics.OrderByDescending(static toxic => toxic.IsUp))
        {
            toxic.Write(writer);
        }

        writer.WriteEndArray();
    }

    public async ValueTask DisposeAsync() => await StopAsync().ConfigureAwait(false);

    private async Task StartAsync()
    {
        ImpairOptions options = new() { Listen = Listen, Upstream = Upstream, Faults = _faults, Seed = seed, Report = report };
        try
        {
            _proxy = await ImpairBinding.BindAsync(options, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is NetworkException or ArgumentException)
        {
            throw new HttpException(failure is NetworkException ? 500 : 400, failure.Message);
        }

        Listen = _proxy.Endpoints[0];
        _stop = new CancellationTokenSource();
        _carries = _proxy.RunAsync(_stop.Token);
    }

    /// <summary>Its connections are reset.</summary>
    private async Task StopAsync()
    {
        if (_proxy is null)
        {
            return;
        }

        await _stop!.CancelAsync().ConfigureAwait(false);
        try
        {
            await _carries!.ConfigureAwait(false);
        }
        catch (NetworkException failure)
        {
            report?.Invoke(failure.Message);
        }

        await _proxy.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
        _proxy = null;
    }

    private void SetFaults()
    {
        _faults.Up.Set([.. _toxics.Where(static toxic => toxic.IsUp).Select(static toxic => toxic.Layer)]);
        _faults.Down.Set([.. _toxics.Where(static toxic => !toxic.IsUp).Select(static toxic => toxic.Layer)]);
    }
}
