using Doorbell.Coap.Codec;

namespace Doorbell.Coap;

/// <summary>
/// The path of a resource as its segments, each of which goes in a Uri-Path option (RFC 7252 section 5.10.1). A text such as
/// <c>lamps/1</c> is a path too: it is cut at its slashes, and one slash before it is left out. A segment that has a slash in it can be
/// given by <see cref="Of"/>.
/// </summary>
public readonly struct CoapPath : IEquatable<CoapPath>
{
    private readonly string[]? _segments;

    private CoapPath(string[] segments) => _segments = segments;

    /// <summary>The path without a segment.</summary>
    public static CoapPath Root => default;

    /// <summary>The segments in their order, decoded. An empty one counts: <c>a//b</c> has three.</summary>
    public IReadOnlyList<string> Segments => _segments ?? [];

    /// <summary>A path of segments.</summary>
    /// <param name="segments">Each as it is meant, not percent-encoded.</param>
    public static CoapPath Of(params IReadOnlyList<string> segments) => new([.. segments]);

    /// <summary>A path of a text.</summary>
    /// <param name="path">The segments with slashes between them, not percent-encoded.</param>
    public static CoapPath From(string path)
    {
        string rest = path.StartsWith('/') ? path[1..] : path;
        return rest.Length == 0 ? Root : new CoapPath(rest.Split('/'));
    }

    /// <summary>A path of a text, as <see cref="From"/> reads it.</summary>
    /// <param name="path">The text.</param>
    public static implicit operator CoapPath(string path) => From(path);

    /// <summary>Whether two paths have the same segments.</summary>
    /// <param name="left">One.</param>
    /// <param name="right">The other.</param>
    public static bool operator ==(CoapPath left, CoapPath right) => left.Equals(right);

    /// <summary>Whether two paths differ in a segment.</summary>
    /// <param name="left">One.</param>
    /// <param name="right">The other.</param>
    public static bool operator !=(CoapPath left, CoapPath right) => !left.Equals(right);

    /// <inheritdoc/>
    public bool Equals(CoapPath other) => Segments.SequenceEqual(other.Segments, StringComparer.Ordinal);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is CoapPath other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        HashCode hash = default;
        foreach (string segment in Segments)
        {
            hash.Add(segment, StringComparer.Ordinal);
        }

        return hash.ToHashCode();
    }

    /// <summary>As it stands in a URI, with a slash before each segment, or one slash for the root (RFC 7252 section 6.5).</summary>
    public override string ToString() =>
        Segments.Count == 0 ? "/" : string.Concat(Segments.Select(static segment => "/" + CoapPercent.EncodeSegment(segment)));
}
