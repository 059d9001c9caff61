using System.Text;
using Doorbell.Cli.Input;
using Microsoft.Win32.SafeHandles;

namespace Doorbell.Cli.Printing;

/// <summary>Standard output as bytes; at a terminal what could drive it is escaped.</summary>
internal sealed class StandardOutput : IDisposable
{
    private readonly bool _escape;
    private readonly Stream _stream;
    private readonly TerminalText _text = new();

    public StandardOutput(bool escape)
    {
        _escape = escape;
        if (!StandardInput.IsInherited(1))
        {
            throw new IOException("it is closed; give it a place to go, such as >/dev/null");
        }

        // The console's own stream hides a broken pipe (`| head` that has gone), so for a pipe use the descriptor. A file, though,
        // may be shared with other writers, and a FileStream would keep an offset of its own.
        FileStream descriptor = new(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);
        _stream = OperatingSystem.IsWindows() || descriptor.CanSeek ? Console.OpenStandardOutput() : descriptor;
    }

    /// <summary>Writes what a peer sent.</summary>
    public void Write(ReadOnlySpan<byte> bytes) => _stream.Write(_escape ? Encoding.UTF8.GetBytes(_text.Escape(bytes)) : bytes);

    /// <summary>One line for a failure of standard input or output.</summary>
    public static string Wording(string operation, Exception failure)
    {
        // For what has no exception of its own, .NET's HResult is errno.
        string errno = failure.HResult switch
        {
            5 => "EIO: ",
            21 => "EISDIR: ",
            28 => "ENOSPC: ",
            32 => "EPIPE: ",
            _ => "",
        };
        string advice = errno == "EPIPE: " ? "; whoever read it has gone" : "";
        return $"{operation}: {errno}{PrintableText.Escape(failure.Message)}{advice}";
    }

    public void Dispose()
    {
        if (_escape)
        {
            _stream.Write(Encoding.UTF8.GetBytes(_text.Rest()));
        }
    }
}
