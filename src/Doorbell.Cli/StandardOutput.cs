using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Doorbell.Cli;

/// <summary>Standard output as bytes; at a terminal what could drive it is escaped.</summary>
internal sealed class StandardOutput : IDisposable
{
    private readonly bool _escape;
    private readonly Stream _stream;
    private readonly TerminalText _text = new();

    public StandardOutput(bool escape)
    {
        _escape = escape;

        // The console's own stream hides a broken pipe (`| head` that has gone), so for a pipe use the descriptor. A file, though,
        // may be shared with other writers, and a FileStream would keep an offset of its own.
        FileStream descriptor = new(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);
        _stream = OperatingSystem.IsWindows() || descriptor.CanSeek ? Console.OpenStandardOutput() : descriptor;
    }

    /// <summary>Writes what a peer sent.</summary>
    public void Write(ReadOnlySpan<byte> bytes) => _stream.Write(_escape ? Encoding.UTF8.GetBytes(_text.Escape(bytes)) : bytes);

    public void Dispose()
    {
        if (_escape)
        {
            _stream.Write(Encoding.UTF8.GetBytes(_text.Rest()));
        }
    }
}
