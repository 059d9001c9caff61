using Doorbell.Native;
using Microsoft.Win32.SafeHandles;

namespace Doorbell.Cli.Input;

/// <summary>
/// Standard input or standard output as bytes, each read and each write at once. Every failure is a <see cref="StandardStreamException"/>,
/// a reader that has gone as well (EPIPE), which the console's own stream hides.
/// </summary>
internal sealed class StandardStream : Stream
{
    private const int BufferBytes = 64 * 1024;

    private readonly int _descriptor;
    private readonly string _operation;

    /// <summary>Null on Linux, where the descriptor is used as it is: see <see cref="InheritedDescriptor"/>.</summary>
    private readonly Stream? _portable;
    private byte[] _ahead = [];
    private bool _isOpen;

    private StandardStream(int descriptor, string operation, Func<Stream> portable)
    {
        _descriptor = descriptor;
        _operation = operation;
        _portable = OperatingSystem.IsLinux() ? null : portable();
    }

    public override bool CanRead => _descriptor == 0;

    public override bool CanWrite => _descriptor != 0;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public static StandardStream Input() => new(0, "read standard input", Console.OpenStandardInput);

    public static StandardStream Output() => new(1, "write standard output", static () =>
    {
        const int OfOutput = -11;

        // The console's own stream hides a broken pipe. A file, though, may be shared with other writers, and a FileStream would keep an
        // offset of its own.
        nint number = OperatingSystem.IsWindows() ? Kernel32.GetStdHandle(OfOutput) : 1;
        SafeFileHandle handle = new(number, ownsHandle: false);
        bool isConsole = OperatingSystem.IsWindows() && !Console.IsOutputRedirected;
        return !isConsole && !handle.IsInvalid && !handle.IsAsync
            && new FileStream(handle, FileAccess.Write, bufferSize: 0) is { CanSeek: false } pipe ? pipe : Console.OpenStandardOutput();
    });

    public static StandardStream Error() => new(2, "write standard error", Console.OpenStandardError);

    /// <exception cref="StandardStreamException">This process was started without a standard output.</exception>
    public static void RequireOpen()
    {
        if (!PassedDescriptor.IsThere(1))
        {
            throw new StandardStreamException("write standard output: it is closed; give it a place to go, such as >/dev/null");
        }
    }

    /// <summary>
    /// Waits until there is something to read, or the end. On Linux nothing is taken before <see cref="Read(Span{byte})"/>.
    /// </summary>
    public void WaitForInput()
    {
        if (_portable is null)
        {
            InheritedDescriptor.WaitForInput(_descriptor);
        }
        else if (_ahead.Length == 0)
        {
            byte[] buffer = new byte[BufferBytes];
            _ahead = buffer[..Read(buffer)];
        }
    }

    public override int Read(Span<byte> buffer)
    {
        if (_ahead.Length > 0)
        {
            int count = Math.Min(_ahead.Length, buffer.Length);
            _ahead.AsSpan(0, count).CopyTo(buffer);
            _ahead = _ahead[count..];
            return count;
        }

        try
        {
            return _portable is null ? InheritedDescriptor.Read(_descriptor, buffer) : _portable.Read(buffer);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StandardStreamException(_operation, failure);
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (!_isOpen && _descriptor == 1)
        {
            RequireOpen();
            _isOpen = true;
        }

        try
        {
            if (_portable is null)
            {
                InheritedDescriptor.Write(_descriptor, buffer);
            }
            else
            {
                _portable.Write(buffer);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StandardStreamException(_operation, failure);
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
        // Nothing waits here.
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
