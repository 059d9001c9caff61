using Doorbell.Lab.Demos;

namespace Doorbell.Cli.Printing.Demos;

/// <summary>Runs <c>demo receive-buffer</c> and prints what became of the datagrams.</summary>
internal static class ReceiveBufferReport
{
    public static void Run(TextWriter output)
    {
        output.WriteLine(
            $"{ReceiveBufferDemo.Datagrams} datagrams of {ReceiveBufferDemo.DatagramBytes} bytes are sent at once over loopback, and read "
                + "only after that.");
        Measure(output, "8k");
        Measure(output, null);
        Measure(output, "4m");
        output.WriteLine();
        output.WriteLine(
            "A datagram that finds the buffer full is dropped without a word to anyone: UDP has no flow control. The kernel counts them "
                + "for each socket (SO_MEMINFO, read here), and can tell with each recvmsg \"the number of packets dropped by the "
                + "socket since its creation\" (socket(7), SO_RXQ_OVFL).");
        output.WriteLine(
            "A datagram takes more of the buffer than its own bytes: that is why \"the kernel doubles this value (to allow space for "
                + "bookkeeping overhead)\" (socket(7)). More than net.core.rmem_max takes SO_RCVBUFFORCE and root.");
    }

    private static void Measure(TextWriter output, string? receiveBuffer)
    {
        ReceiveBufferResult result = ReceiveBufferDemo.Measure(receiveBuffer);
        string buffer = result.Option?.ToString() ?? $"SO_RCVBUF is {result.BufferBytes} bytes, the default (net.core.rmem_default)";
        output.WriteLine(
            $"{ReceiveBufferDemo.Datagrams} sent, {result.Received,4} received, {result.Dropped,4} dropped by the kernel; {buffer}");
    }
}
