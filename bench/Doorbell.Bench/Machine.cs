using System.Globalization;
using System.Runtime.InteropServices;

namespace Doorbell.Bench;

/// <summary>What the figures were measured on.</summary>
internal sealed record Machine(string Processor, int Processors, string Kernel, string System)
{
    public static Machine Current { get; } = new(
        File.ReadLines("/proc/cpuinfo").FirstOrDefault(static line => line.StartsWith("model name", StringComparison.Ordinal))
            ?.Split(':', 2)[1].Trim() ?? RuntimeInformation.OSArchitecture.ToString(),
        Environment.ProcessorCount,
        File.ReadAllText("/proc/sys/kernel/osrelease").Trim(),
        RuntimeInformation.OSDescription);

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Processor}, {Processors} processors, Linux {Kernel}, {System}");
}
