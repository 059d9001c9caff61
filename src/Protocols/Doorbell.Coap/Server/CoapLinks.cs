using System.Globalization;
using System.Text;
using Doorbell.Coap.Codec;

namespace Doorbell.Coap.Server;

/// <summary>Resources as links (RFC 6690), and which of them a query asks for.</summary>
internal static class CoapLinks
{
    /// <summary>The attributes that <see cref="CoapResource"/> tells by properties of its own.</summary>
    private const string Format = "ct";
    private const string Observable = "obs";

    /// <summary>The name by which a query asks for the target, which is no attribute.</summary>
    private const string Target = "href";

    /// <summary>Beside letters and digits, what a name may have (RFC 5987 section 3.2.1, attr-char).</summary>
    private const string NameSigns = "!#$&+-.^_`|~";

    /// <summary>Refuses attributes that can't be written.</summary>
    /// <exception cref="ArgumentException">A name or a value that can't stand in a link.</exception>
    public static void Check(CoapResource resource)
    {
        foreach ((string name, string value) in resource.Attributes)
        {
            bool isName = name.Length > 0 && name.All(static each => char.IsAsciiLetterOrDigit(each) || NameSigns.Contains(each));
            if (!isName || name is Format or Observable or Target || value.Any(char.IsControl))
            {
                throw new ArgumentException(
                    $"The attribute \"{name}\" can't stand in a link (RFC 6690 section 2): a name has letters, digits and {NameSigns}, a "
                        + $"value no control character, and {Format}, {Observable} and {Target} come from the resource itself.",
                    nameof(resource));
            }
        }
    }

    /// <summary>As in <c>&lt;/lamps/1&gt;;rt="light-lux";ct=0</c>.</summary>
    public static string Of(string path, CoapResource resource)
    {
        StringBuilder link = new($"<{ReferenceTo(path)}>");
        foreach ((string name, string value) in AttributesOf(resource))
        {
            link.Append(';').Append(name);
            if (value.Length > 0)
            {
                link.Append('=').Append(Written(name, value));
            }
        }

        return link.ToString();
    }

    /// <summary>
    /// Whether a filter such as <c>rt=light*</c> asks for this resource (RFC 6690 section 4.1). The names alone, as <c>obs</c>, ask for
    /// those that have the attribute.
    /// </summary>
    public static bool Matches(string path, CoapResource resource, string filter)
    {
        int equals = filter.IndexOf('=');
        string name = equals < 0 ? filter : filter[..equals];
        string pattern = equals < 0 ? "*" : filter[(equals + 1)..];
        return name == Target
            ? IsLike(ReferenceTo(path), pattern)
            : AttributesOf(resource).Any(each => each.Name == name && ValuesOf(name, each.Value).Any(value => IsLike(value, pattern)));
    }

    /// <summary>An asterisk at the pattern's end stands for any end.</summary>
    private static bool IsLike(string value, string pattern) => pattern.EndsWith('*')
        ? value.StartsWith(pattern[..^1], StringComparison.Ordinal)
        : value == pattern;

    /// <summary>The whole value; and each of several resource types or interfaces (RFC 6690 sections 3.1 and 3.2).</summary>
    private static string[] ValuesOf(string name, string value) =>
        name is "rt" or "if" or "rel" or "rev" ? [value, .. value.Split(' ')] : [value];

    private static IEnumerable<(string Name, string Value)> AttributesOf(CoapResource resource)
    {
        foreach ((string name, string value) in resource.Attributes)
        {
            yield return (name, value);
        }

        if (resource.ContentFormat is { } format)
        {
            yield return (Format, format.ToString(CultureInfo.InvariantCulture));
        }

        if (resource.IsObservable)
        {
            yield return (Observable, "");
        }
    }

    /// <summary>Numbers stand as they are, as <c>sz</c> has to (RFC 6690 section 3.3); all else is quoted, which is always right.</summary>
    private static string Written(string name, string value)
    {
        bool isNumber = name is not ("rt" or "if" or "title") && value.All(char.IsAsciiDigit);
        return isNumber
            ? value
            : $"\"{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
    }

    /// <summary>
    /// A path as a URI reference (RFC 6690 section 2, RFC 3986 section 4.2). Two slashes at its start would name a host, so a path with an
    /// empty first segment begins with a dot, which is resolved away.
    /// </summary>
    private static string ReferenceTo(string path)
    {
        string reference = string.Concat(path.Split('/').Select(static segment => "/" + CoapPercent.EncodeSegment(segment)));
        return reference.StartsWith("//", StringComparison.Ordinal) ? "/." + reference : reference;
    }
}
