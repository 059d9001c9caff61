using System.Globalization;
using Doorbell.Cli.Arguments;
using Doorbell.Tls;

namespace Doorbell.Cli.Ends;

/// <summary>Reads a side of a relay: an endpoint, or one of the words that only a relay takes.</summary>
internal static class EndWord
{
    private const string Vsock = "vsock:";
    private const string Serial = "serial:";
    private const string Terminal = "pty:";

    /// <summary>Reads one.</summary>
    /// <exception cref="FormatException">It is none; the message is one line that says what is wrong and what would be right.</exception>
    public static EndTarget Parse(string text)
    {
        if (text.Equals("stdio:", StringComparison.OrdinalIgnoreCase))
        {
            return new StandardStreamsTarget();
        }

        if (text.StartsWith(Terminal, StringComparison.OrdinalIgnoreCase))
        {
            string link = WithoutSlashes(text[Terminal.Length..]);
            return new PseudoTerminalTarget(link.Length == 0 ? null : link);
        }

        if (text.StartsWith(Serial, StringComparison.OrdinalIgnoreCase))
        {
            return ReadSerial(text, WithoutSlashes(text[Serial.Length..]));
        }

        if (text.StartsWith(Vsock, StringComparison.OrdinalIgnoreCase))
        {
            return ReadVsock(WithoutSlashes(text[Vsock.Length..]));
        }

        Endpoint endpoint = EndpointWord.Parse(text, TlsScheme.Scheme);
        return endpoint.IsStream || endpoint.IsPassed ? new SocketTarget(endpoint) : new DatagramTarget(endpoint);
    }

    private static SerialTarget ReadSerial(string text, string rest)
    {
        int question = rest.IndexOf('?');
        string path = question < 0 ? rest : rest[..question];
        return path.Length == 0
            ? throw new FormatException("a serial line takes the path of its device, as in serial:///dev/ttyUSB0?115200")
            : new SerialTarget(PrintableText.Escape(text), path, SerialForm.Parse(question < 0 ? "" : rest[(question + 1)..]));
    }

    private static VsockTarget ReadVsock(string rest)
    {
        int colon = rest.IndexOf(':');
        string machine = colon < 0 ? rest : rest[..colon];
        uint cid = 0;
        bool isKnown = machine == "*" || uint.TryParse(machine, NumberStyles.None, CultureInfo.InvariantCulture, out cid);
        return colon >= 0 && isKnown
            && uint.TryParse(rest.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out uint port)
            ? new VsockTarget(machine == "*" ? null : cid, port)
            : throw new FormatException(
                $"vsock takes the number of a machine and a port, as in vsock:2:7000, not \"{PrintableText.Escape(rest)}\"");
    }

    /// <summary>As for <c>unix:</c>, two slashes may stand before an absolute path.</summary>
    private static string WithoutSlashes(string text) => text.StartsWith("//", StringComparison.Ordinal) ? text[2..] : text;
}
