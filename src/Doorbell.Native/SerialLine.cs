using System.Runtime.InteropServices;

namespace Doorbell.Native;

/// <summary>
/// A serial line, such as /dev/ttyUSB0, opened for this process alone (flock(2), as minicom and picocom lock it) and set to pass bytes as
/// they are. Its settings are put back when it is closed. Linux.
/// </summary>
internal sealed unsafe partial class SerialLine : IDisposable
{
    private const int ReadWrite = 2;
    private const int NoControllingTerminal = 0x100;
    private const int Exclusive = 2;
    private const int WithoutWaiting = 4;
    private const nuint UnsentBytes = 0x5411;

    private readonly TerminalSettings _before;

    private SerialLine(int descriptor, TerminalSettings before) => (Descriptor, _before) = (descriptor, before);

    /// <summary>Does not block. Closed with this.</summary>
    public int Descriptor { get; }

    /// <summary>Whether all that was written has left; a driver that can't tell says yes.</summary>
    public bool IsSent
    {
        get
        {
            int unsent = 0;
            return ioctl(Descriptor, UnsentBytes, &unsent) != 0 || unsent == 0;
        }
    }

    /// <summary>Opens a line.</summary>
    /// <param name="target">What is opened, to name in errors.</param>
    /// <param name="path">Of the device, as <see cref="SystemText"/> has it.</param>
    /// <param name="change">Makes the settings asked for of raw ones.</param>
    /// <exception cref="NetworkException">There is none, another program has it, or it does not take the settings.</exception>
    public static SerialLine Open(string target, string path, Func<TerminalSettings, TerminalSettings> change)
    {
        int descriptor;
        fixed (byte* bytes = SystemText.ToBytes(path + '\0'))
        {
            descriptor = Libc.open(bytes, ReadWrite | NoControllingTerminal | Libc.CloseOnExec | Libc.NonBlocking, 0);
        }

        if (descriptor < 0)
        {
            throw DeviceFailure.Of("open", target, LinuxErrno.Last);
        }

        try
        {
            Require(TerminalSettings.Read(descriptor, out TerminalSettings before), "ioctl");
            Require(flock(descriptor, Exclusive | WithoutWaiting) == 0 ? 0 : LinuxErrno.Last, "flock");
            TerminalSettings asked = change(before.Raw());
            Require(asked.Apply(descriptor), "ioctl");
            Require(TerminalSettings.Read(descriptor, out TerminalSettings got), "ioctl");
            SerialLine line = new(descriptor, before);
            if (got.Speed != asked.Speed)
            {
                line.Dispose();
                descriptor = -1;
                Require(Libc.InvalidArgument, "ioctl");
            }

            return line;
        }
        catch when (descriptor >= 0)
        {
            _ = Libc.close(descriptor);
            throw;
        }

        void Require(int errno, string operation)
        {
            if (errno != 0)
            {
                throw DeviceFailure.Of(operation, target, errno);
            }
        }
    }

    public void Dispose()
    {
        _ = _before.Apply(Descriptor);
        _ = Libc.close(Descriptor);
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int flock(int descriptor, int operation);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(int descriptor, nuint request, int* value);
}
