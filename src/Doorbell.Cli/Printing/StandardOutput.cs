using System.Text;
using Doorbell.Cli.Input;

namespace Doorbell.Cli.Printing;

/// <summary>Standard output as bytes; at a terminal what could drive it is escaped.</summary>
internal sealed class StandardOutput : IDisposable
{
    private readonly bool _escape;
    private readonly Stream _stream;
    
    /// <summary>Text, ends of line and tabs stay, all else is escaped.</summary>
    private readonly TerminalText _text = new(static bytes => PrintableText.EscapeKeepingLines(bytes));

    public StandardOutput(bool escape)
    {
        _escape = escape;
        _stream = Open();
    }

    /// <summary>Standard output as it is.</summary>
    /// <exception cref="StandardStreamException">This process was started without one.</exception>
    public static Stream Open()
    {
        RequireOpen();
        return StandardStream.Output();
    }

    /// <exception cref="StandardStreamException">This process was started without a standard output.</exception>
    public static void RequireOpen() => StandardStream.RequireOpen();

    /// <summary>Standard output for text. Whether there is one is looked at by the first write.</summary>
    public static TextWriter OpenText() => new StreamWriter(StandardStream.Output(), new UTF8Encoding(false)) { AutoFlush = true };

    /// <summary>Standard error for text.</summary>
    public static TextWriter OpenErrorText() => new StreamWriter(StandardStream.Error(), new UTF8Encoding(false)) { AutoFlush = true };

    /// <summary>
    /// From now on <see cref="Console.Out"/> is standard output as it is. A verb that prints something and ends uses this: then the first
    /// write that fails ends it, where the console's own stream hides that its reader has gone.
    /// </summary>
    /// <exception cref="StandardStreamException">This process was started without one.</exception>
    public static void BecomesConsole()
    {
        RequireOpen();
        Console.SetOut(OpenText());
    }

    /// <summary>Writes what a peer sent.</summary>
    public void Write(ReadOnlySpan<byte> bytes) => _stream.Write(_escape ? Encoding.UTF8.GetBytes(_text.Escape(bytes)) : bytes);

    /// <summary>One line for a failure of standard input or output.</summary>
    public static string Wording(string operation, Exception failure) =>
        failure is StandardStreamException or RecordingException
            ? failure.Message
            : new StandardStreamException(operation, failure).Message;

    public void Dispose()
    {
        if (_escape)
        {
            _stream.Write(Encoding.UTF8.GetBytes(_text.Rest()));
        }
    }
}
