using System.ComponentModel;
using System.Reflection;
using System.Text.Json;
using Microsoft.Extensions.Configuration;

namespace Doorbell.Tests;

/// <summary>A server's options from a configuration: by .NET's binder, by the options' own reader, and from JSON.</summary>
public sealed class ConfigurationTests
{
    private static readonly Dictionary<string, string?> _settings = new()
    {
        ["Doorbell:Endpoints:0"] = "tcp://localhost:7000",
        ["Doorbell:Endpoints:1"] = "udp://*:7001",
        ["Doorbell:Model"] = "pool:4",
        ["Doorbell:Engine"] = "epoll",
        ["Doorbell:MaxConnections"] = "123",
        ["Doorbell:AtLimit"] = "Close",
        ["Doorbell:ReusePort"] = "true",
    };

    [Fact]
    public void The_binder_reads_endpoints_the_model_and_the_engine()
    {
        ServerOptions options = Section(_settings).Get<ServerOptions>()!;
        RequireSettings(options);
    }

    [Fact]
    public void The_binder_names_the_key_of_what_it_cannot_read()
    {
        IConfiguration model = Section(new() { ["Doorbell:Model"] = "fastest" });
        InvalidOperationException wrong = Assert.Throws<InvalidOperationException>(() => model.Get<ServerOptions>());
        Assert.Contains("Doorbell:Model", wrong.Message, StringComparison.Ordinal);
        Assert.Contains("give one of", wrong.InnerException!.Message, StringComparison.Ordinal);
        IConfiguration endpoint = Section(new() { ["Doorbell:Endpoints:0"] = "tpc://localhost:7000" });
        wrong = Assert.Throws<InvalidOperationException>(
            () => endpoint.Get<ServerOptions>(static binder => binder.ErrorOnUnknownConfiguration = true));
        Assert.Contains("Doorbell:Endpoints:0", wrong.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_options_read_a_section_themselves_without_reflection() =>
        RequireSettings(ServerOptions.Parse(Section(_settings).AsEnumerable(makePathsRelative: true)));

    [Fact]
    public void Doors_and_limits_are_read_in_any_order_and_what_is_set_nowhere_is_left_out()
    {
        ServerOptions options = ServerOptions.Parse(
            [
                new("StreamLimits:MaxLifetime", "1h"),
                new("Doors:1:Endpoint", "udp://*:7001"),
                new("Doors:0:Limits:IdleTimeout", "30s"),
                new("doors:0:access:deny:0", "10.0.0.0/8"),
                new("Doors:0:Service", "echo"),
                new("Doors:0:Endpoint", "tcp://localhost:7000"),
                new("Doors:1:Service", "capitalize"),
                new("Doors:1:Limits:MaxDatagramBytes", "512"),
                new("Doors:0:Limits:maxConnections", "5"),
                new("Doors:0:Access:Allow:1", "::1"),
                new("Doors:0:Access:Allow:0", "unix"),
            ],
            ClassicServices.Echo,
            ClassicServices.Capitalize);
        Assert.Equal(new StreamLimitOverrides { MaxLifetime = TimeSpan.FromHours(1) }, options.StreamLimits);
        Assert.Equal(
            [(Endpoint.Parse("tcp://localhost:7000"), "echo"), (Endpoint.Parse("udp://*:7001"), "capitalize")],
            options.Doors.Select(static door => (door.Endpoint, door.Service.Name)));
        Assert.Equal(new DoorLimits { IdleTimeout = TimeSpan.FromSeconds(30), MaxConnections = 5 }, options.Doors[0].Limits);
        Assert.Equal(new DoorLimits { MaxDatagramBytes = 512 }, options.Doors[1].Limits);
        Assert.Equal([AddressRange.Unix, AddressRange.Parse("::1/128")], options.Doors[0].Access.Allow);
        Assert.Equal([AddressRange.Parse("10.0.0.0/8")], options.Doors[0].Access.Deny);
        Assert.True(options.Doors[1].Access.AdmitsEveryone);
    }

    [Theory]
    [InlineData("Doors:0", "Service", "echo", "Doors:0: it has no Endpoint")]
    [InlineData("Doors:0", "Endpoint", "tcp://localhost:7000", "Doors:0: it has no Service")]
    public void A_door_that_is_not_whole_is_an_error_that_begins_with_its_key(string door, string key, string value, string says)
    {
        FormatException wrong = Assert.Throws<FormatException>(
            () => ServerOptions.Parse([new($"{door}:{key}", value)], ClassicServices.Echo));
        Assert.StartsWith(says, wrong.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Doors:0:Limits:IdleTimeout", "soon", "30s")]
    [InlineData("Doors:0:Limits:IdleTimeout", "0s", "more than 0")]
    [InlineData("Doors:0:Limits:IdleTime", "1s", "IdleTimeout")]
    [InlineData("Doors:0:Limits:MaxConnections", "0", "from 1")]
    [InlineData("Doors:0:Limits", "1s", "Limits:NAME")]
    [InlineData("Doors:0:Access:Allow:0", "10.0.0.1/8", "bits set")]
    [InlineData("Doors:0:Access:Allow", "10.0.0.0/8", "Access:Allow:0")]
    [InlineData("Doors:0:Access:Permit:0", "10.0.0.0/8", "Access:Allow:0")]
    [InlineData("Doors:0:Service", "nosuch", "give the services")]
    [InlineData("Doors:x:Service", "echo", "Doors:0")]
    [InlineData("Doors:0", "echo", "Doors:0:Endpoint")]
    [InlineData("StreamLimits:IdleTime", "1s", "IdleTimeout")]
    [InlineData("StreamLimits:MaxConnections", "1", "no such limit")]
    [InlineData("StreamLimits", "1s", "no such setting")]
    [InlineData("Service", "echo", "give the services")]
    [InlineData("MaxConnections", "0", "from 1")]
    [InlineData("Endpoints:0", "tpc://localhost:1", "tcp")]
    [InlineData("Endpoints", "tcp://localhost:1", "Endpoints:0")]
    [InlineData("Model", "fastest", "give one of iterative")]
    [InlineData("Model", "threds", "did you mean thread?")]
    [InlineData("Model", "pool:0", "1 to 1024 workers")]
    [InlineData("Engine", "kqueue", "give one of auto")]
    [InlineData("MaxConnections", "many", "whole number")]
    [InlineData("AtLimit", "7", "LeaveInBacklog")]
    [InlineData("ReusePort", "maybe", "true nor false")]
    [InlineData("MaxConections", "5", "MaxConnections")]
    [InlineData("Limits:IdleTimeout", "5s", "no such setting")]
    [InlineData("SocketOptions:0", "TCP_NODELY=1", "TCP_NODELAY")]
    public void What_cannot_be_read_is_an_error_that_begins_with_the_key(string key, string value, string says)
    {
        FormatException wrong = Assert.Throws<FormatException>(() => ServerOptions.Parse([new(key, value)]));
        Assert.StartsWith($"{key}: ", wrong.Message, StringComparison.Ordinal);
        Assert.Contains(says, wrong.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', wrong.Message);
    }

    [Fact]
    public void A_string_may_stand_for_an_endpoint()
    {
        ServerOptions options = new() { Service = ClassicServices.Echo, Endpoints = ["tcp://localhost:7000", "unix:///run/door"] };
        Assert.Equal([Endpoint.Parse("tcp://localhost:7000"), Endpoint.Parse("unix:///run/door")], options.Endpoints);
        Assert.Throws<FormatException>(static () => new DoorOptions { Endpoint = "tpc://x:1", Service = ClassicServices.Echo });
    }

    [Fact]
    public void Values_with_a_text_of_their_own_go_through_JSON_and_back()
    {
        JsonSerializerOptions json = new()
        {
            Converters = { new ParsableJsonConverter<Endpoint>(), new ParsableJsonConverter<ServerModel>(), new DurationJsonConverter() },
        };
        Values values = new("tcp://[::1]:7000", ServerModel.Pool(4), TimeSpan.FromSeconds(30));
        string text = JsonSerializer.Serialize(values, json);
        Assert.Equal("""{"Where":"tcp://[::1]:7000","How":"pool:4","Long":"00:00:30"}""", text);
        Assert.Equal(values, JsonSerializer.Deserialize<Values>(text, json));
        Assert.Equal(TimeSpan.FromMinutes(5), JsonSerializer.Deserialize<TimeSpan>("\"5m\"", json));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<Endpoint>("\"tpc://x:1\"", json));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<TimeSpan>("30", json));
    }

    [Fact]
    public void Every_model_reads_back_from_its_text()
    {
        foreach (string name in ServerModel.Names)
        {
            ServerModel model = ServerModel.Named(name);
            Assert.Equal(model, ServerModel.Parse(model.ToString()));
            Assert.Equal(model, TypeDescriptor.GetConverter(typeof(ServerModel)).ConvertFromInvariantString(model.ToString()));
        }

        Assert.False(ServerModel.TryParse("thread:4", out _));
        Assert.False(ServerModel.TryParse(null, out _));
    }

    private static IConfigurationSection Section(Dictionary<string, string?> settings) =>
        new ConfigurationBuilder().AddInMemoryCollection(settings).Build().GetSection("Doorbell");

    private static void RequireSettings(ServerOptions options)
    {
        Assert.Equal([Endpoint.Parse("tcp://localhost:7000"), Endpoint.Parse("udp://*:7001")], options.Endpoints);
        Assert.Equal(ServerModel.Pool(4), options.Model);
        Assert.Equal(EngineKind.Epoll, options.Engine);
        Assert.Equal(123, options.MaxConnections);
        Assert.Equal(AtLimit.Close, options.AtLimit);
        Assert.True(options.ReusePort);
    }

    private sealed record Values(Endpoint Where, ServerModel How, TimeSpan Long);

    /// <summary>A limit that is new is not forgotten in one of the places that read it.</summary>
    [Fact]
    public void Every_limit_of_a_connection_can_be_configured_for_all_doors_and_for_one()
    {
        foreach (PropertyInfo limit in typeof(StreamLimits).GetProperties().Where(static property => property.CanWrite))
        {
            string value = limit.PropertyType == typeof(TimeSpan) ? "7s" : "7";
            ServerOptions options = ServerOptions.Parse(
                [
                    new($"StreamLimits:{limit.Name}", value), new("Doors:0:Endpoint", "tcp://localhost:7000"),
                    new("Doors:0:Service", "echo"), new($"Doors:0:Limits:{limit.Name}", value),
                ],
                ClassicServices.Echo);
            object expected = limit.PropertyType == typeof(TimeSpan) ? TimeSpan.FromSeconds(7) : 7;
            Assert.Equal(expected, Of(options.StreamLimits, limit.Name));
            Assert.Equal(expected, Of(Assert.Single(options.Doors).Limits, limit.Name));
        }
    }

    private static object? Of(object? limits, string name) => limits?.GetType().GetProperty(name)?.GetValue(limits);
}
