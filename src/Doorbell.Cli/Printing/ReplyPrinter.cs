using System.Text.Unicode;

namespace Doorbell.Cli.Printing;

/// <summary>How <c>ask</c> prints a reply.</summary>
internal sealed class ReplyPrinter(bool raw, bool json)
{
    private readonly Stream _output = Console.OpenStandardOutput();

    public void Print(ReadOnlySpan<byte> reply, PeerAddress peer, int tries, TimeSpan elapsed)
    {
        if (json)
        {
            Console.Out.WriteLine(Json(reply.ToArray(), peer, tries, elapsed));
        }
        else if (!raw)
        {
            Console.Out.WriteLine($"FROM SERVER: {PrintableText.Escape(reply, int.MaxValue)}");
        }
        else if (Console.IsOutputRedirected)
        {
            _output.Write([.. reply, (byte)'\n']);
        }
        else
        {
            // Nothing a peer sends may drive the terminal.
            Console.Out.WriteLine(PrintableText.Escape(reply, int.MaxValue));
        }
    }

    private static string Json(byte[] reply, PeerAddress peer, int tries, TimeSpan elapsed) => JsonLine.Of(writer =>
    {
        if (Utf8.IsValid(reply))
        {
            writer.WriteString("reply", reply);
        }
        else
        {
            writer.WriteBase64String("replyBase64", reply);
        }

        writer.WriteString("from", peer.ToString());
        writer.WriteNumber("tries", tries);
        writer.WriteNumber("milliseconds", Math.Round(elapsed.TotalMilliseconds, 3));
    });
}
