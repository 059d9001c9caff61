using System.Runtime.InteropServices;

namespace Doorbell.Native;

/// <summary>struct sock_filter (linux/filter.h): an instruction of the classic packet filter (kernel: networking/filter).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FilterInstruction
{
    public ushort Code;
    public byte IfTrue;
    public byte IfFalse;
    public uint Operand;
}

/// <summary>struct sock_fprog (linux/filter.h).</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct FilterProgram
{
    public ushort Length;
    public FilterInstruction* Code;
}
