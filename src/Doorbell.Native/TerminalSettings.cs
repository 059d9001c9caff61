using System.Runtime.InteropServices;

namespace Doorbell.Native;

/// <summary>
/// The settings of a terminal or a serial line: struct termios2 (asm-generic/termbits.h, ioctl_tty(2)), which has a speed as a number, so
/// that none is left out. Linux on processors with the generic numbers, as x86 and ARM.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe partial struct TerminalSettings
{
    private const nuint Get = 0x802C_542A;
    private const nuint Set = 0x402C_542B;

    // cfmakeraw(3): what is taken from the input, from the output, and from the terminal's own doing.
    private const uint InputProcessing = 0x1 | 0x2 | 0x8 | 0x20 | 0x40 | 0x80 | 0x100 | 0x400 | 0x1000;
    private const uint OutputProcessing = 0x1;
    private const uint LocalProcessing = 0x1 | 0x2 | 0x8 | 0x40 | 0x8000;
    private const uint SpeedMask = 0x100F;
    private const uint SpeedAsNumber = 0x1000;

    /// <summary>B57600, the first of those above B38400.</summary>
    private const uint HigherSpeeds = 0x1001;
    private const int InputSpeedShift = 16;
    private const uint SizeMask = 0x30;
    private const uint TwoStopBits = 0x40;
    private const uint Receives = 0x80;
    private const uint HasParity = 0x100;
    private const uint OddParity = 0x200;
    private const uint ChecksInputParity = 0x10;
    private const uint IgnoresModemLines = 0x800;
    private const uint HardwareFlow = 0x8000_0000;
    private const int TimeAt = 5;
    private const int MinimumAt = 6;

    /// <summary>The speeds that have a name of their own, B50 to B38400, from 1.</summary>
    private static readonly uint[] _low =
        [50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19_200, 38_400];

    /// <summary>Those from B57600.</summary>
    private static readonly uint[] _high =
    [
        57_600, 115_200, 230_400, 460_800, 500_000, 576_000, 921_600, 1_000_000, 1_152_000, 1_500_000, 2_000_000, 2_500_000, 3_000_000,
        3_500_000, 4_000_000,
    ];

    private uint _input;
    private uint _output;
    private uint _control;
    private uint _local;
    private readonly byte _discipline;
    private fixed byte _characters[19];
    private uint _inputSpeed;
    private uint _outputSpeed;

    /// <summary>Bits a second.</summary>
    public readonly uint Speed => _outputSpeed;

    /// <summary>Reads those of a terminal.</summary>
    /// <returns>0, or errno: ENOTTY if it is none.</returns>
    public static int Read(int descriptor, out TerminalSettings settings)
    {
        fixed (TerminalSettings* to = &settings)
        {
            return ioctl(descriptor, Get, to) == 0 ? 0 : LinuxErrno.Last;
        }
    }

    /// <summary>Gives a terminal these.</summary>
    /// <returns>0, or errno.</returns>
    public readonly int Apply(int descriptor)
    {
        fixed (TerminalSettings* from = &this)
        {
            return ioctl(descriptor, Set, from) == 0 ? 0 : LinuxErrno.Last;
        }
    }

    /// <summary>The same, but bytes pass as they are: nothing is echoed, waited for or translated.</summary>
    public readonly TerminalSettings Raw()
    {
        TerminalSettings raw = this;
        raw._input &= ~InputProcessing;
        raw._output &= ~OutputProcessing;
        raw._local &= ~LocalProcessing;
        raw._characters[TimeAt] = 0;
        raw._characters[MinimumAt] = 1;
        return raw.With(dataBits: 8, parity: 'N', stopBits: 1);
    }

    /// <summary>The same, on a line that needs no modem and has no flow control.</summary>
    /// <param name="dataBits">5 to 8.</param>
    /// <param name="parity">N for none, E for even, O for odd.</param>
    /// <param name="stopBits">1 or 2.</param>
    public readonly TerminalSettings With(int dataBits, char parity, int stopBits)
    {
        TerminalSettings line = this;
        line._control &= ~(SizeMask | TwoStopBits | HasParity | OddParity | HardwareFlow);
        line._control |= Receives | IgnoresModemLines | ((uint)(dataBits - 5) << 4) | (stopBits == 2 ? TwoStopBits : 0)
            | (parity == 'N' ? 0 : HasParity) | (parity == 'O' ? OddParity : 0);
        line._input = (line._input & ~ChecksInputParity) | (parity == 'N' ? 0 : ChecksInputParity);
        return line;
    }

    /// <summary>
    /// The same at another speed, both ways: by its name if it has one, since stty(1) and other programs know no numbers.
    /// </summary>
    /// <param name="bitsPerSecond">More than 0.</param>
    public readonly TerminalSettings At(uint bitsPerSecond)
    {
        TerminalSettings line = this;
        line._control = (line._control & ~(SpeedMask | (SpeedMask << InputSpeedShift))) | CodeOf(bitsPerSecond);
        (line._inputSpeed, line._outputSpeed) = (bitsPerSecond, bitsPerSecond);
        return line;
    }

    private static uint CodeOf(uint speed)
    {
        int low = Array.IndexOf(_low, speed);
        int high = Array.IndexOf(_high, speed);
        return low >= 0 ? (uint)low + 1 : high >= 0 ? HigherSpeeds + (uint)high : SpeedAsNumber;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(int descriptor, nuint request, TerminalSettings* settings);
}
