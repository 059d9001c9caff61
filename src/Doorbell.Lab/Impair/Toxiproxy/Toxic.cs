using System.Text.Json;
using Doorbell.Lab.Http;
using Doorbell.Lab.Impair.Faults;

namespace Doorbell.Lab.Impair.Toxiproxy;

/// <summary>A fault of a proxy, as toxiproxy has it.</summary>
/// <param name="Name">Its own among the proxy's.</param>
/// <param name="Kind">What it does.</param>
/// <param name="IsUp">Whether it is on the way from clients to the upstream; otherwise on the way back.</param>
/// <param name="Toxicity">How many connections have it: 0 to 1.</param>
/// <param name="Attributes">In the order of the kind's names.</param>
/// <param name="Key">Two toxics' are never the same: each hits connections by chances of its own.</param>
internal sealed record Toxic(string Name, ToxicKind Kind, bool IsUp, double Toxicity, IReadOnlyList<long> Attributes, long Key)
{
    private const int MaxNameLength = 256;
    private const string Up = "upstream";
    private const string Down = "downstream";

    /// <summary>The same as the proxy understands it.</summary>
    public FaultLayer Layer => new(Key, Kind.Faults(Attributes) with { Share = Toxicity });

    /// <summary>Reads a new one.</summary>
    /// <param name="json">What a client has sent.</param>
    /// <param name="key">Its key.</param>
    /// <exception cref="HttpException">It is none.</exception>
    public static Toxic Read(JsonElement json, long key)
    {
        string stream = JsonText.String(json, "stream") is { Length: > 0 } said ? said : Down;
        if (stream is not (Up or Down))
        {
            throw new HttpException(400, "stream was invalid, can be either upstream or downstream");
        }

        string type = JsonText.String(json, "type") ?? "";
        ToxicKind kind = ToxicKind.Find(type) ?? throw new HttpException(400, "invalid toxic type");
        string name = JsonText.String(json, "name") is { Length: > 0 } own ? own : $"{type}_{stream}";
        RequireName(name);

        return new Toxic(name, kind, stream == Up, 1, [.. kind.AttributeNames.Select(static _ => 0L)], key).Changed(json);
    }

    /// <summary>Refuses what is no name. A name stands in paths, of which clients make others where it has a slash or is a dot.</summary>
    /// <param name="name">Of a proxy or of a toxic.</param>
    /// <exception cref="HttpException">It is none.</exception>
    public static void RequireName(string name)
    {
        if (name.Length > MaxNameLength)
        {
            throw new HttpException(400, $"bad request body: a name has at most {MaxNameLength} letters");
        }

        if (name is "." or ".." || name.Contains('/'))
        {
            throw new HttpException(400, "bad request body: a name stands in paths, so it is no dot and has no slash");
        }
    }

    /// <summary>The same with what a client has sent of it.</summary>
    /// <exception cref="HttpException">It can't be so.</exception>
    public Toxic Changed(JsonElement json)
    {
        double toxicity = Toxicity;
        if (json.TryGetProperty("toxicity", out JsonElement share) && share.ValueKind != JsonValueKind.Null
            && !(share.ValueKind == JsonValueKind.Number && share.TryGetDouble(out toxicity) && toxicity is >= 0 and <= 1))
        {
            throw new HttpException(400, "bad request body: toxicity is a number from 0 to 1");
        }

        long[] attributes = [.. Attributes];
        if (json.TryGetProperty("attributes", out JsonElement given) && given.ValueKind != JsonValueKind.Null)
        {
            if (given.ValueKind != JsonValueKind.Object)
            {
                throw new HttpException(400, "bad request body: attributes is an object");
            }

            foreach ((int index, string name) in Kind.AttributeNames.Index())
            {
                if (given.TryGetProperty(name, out JsonElement value)
                    && !(value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out attributes[index])))
                {
                    throw new HttpException(400, $"bad request body: {name} is a whole number");
                }
            }
        }

        Kind.Check(attributes);
        return this with { Toxicity = toxicity, Attributes = attributes };
    }

    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteStartObject("attributes");
        foreach ((string name, long value) in Kind.AttributeNames.Zip(Attributes))
        {
            writer.WriteNumber(name, value);
        }

        writer.WriteEndObject();
        writer.WriteString("name", Name);
        writer.WriteString("type", Kind.Name);
        writer.WriteString("stream", IsUp ? Up : Down);
        writer.WriteNumber("toxicity", Toxicity);
        writer.WriteEndObject();
    }
}
