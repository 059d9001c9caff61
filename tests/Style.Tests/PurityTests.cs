using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Doorbell.Tests;

/// <summary>The core has no sockets, threads, tasks or clock: its metadata shows all it can name, fields' types too.</summary>
public sealed class PurityTests
{
    private static readonly string[] _countingAlone =
        ["System.Threading.Interlocked", "System.Threading.Volatile", "System.Threading.Timeout"];

    [Fact]
    public void The_core_references_these_assemblies_and_no_others() => Assert.Equal(
        [
            "System.Collections",
            "System.Collections.Concurrent", // ConcurrentQueue: a request comes in from any thread, without a lock (RequestHandler)
            "System.ComponentModel.TypeConverter", // a function from a string to a value, for configurations
            "System.Linq",
            "System.Memory",
            "System.Net.Primitives", // IPAddress and IPEndPoint are plain values; no socket is in it
            "System.Numerics.Vectors",
            "System.ObjectModel", // the attribute that names the converter
            "System.Runtime",
            "System.Threading", // Interlocked and Volatile, for the ledger
        ],
        References("Doorbell.Core"));

    [Fact]
    public void The_core_names_no_type_that_does_something() => Assert.DoesNotContain(
        TypesNamed("Doorbell.Core"),
        static type => (type.StartsWith("System.Threading.", StringComparison.Ordinal) && !_countingAlone.Contains(type))
            || type.StartsWith("System.Net.Sockets.", StringComparison.Ordinal)
            || type.StartsWith("System.IO.", StringComparison.Ordinal)
            || type is "System.TimeProvider" or "System.Diagnostics.Stopwatch" or "System.Console" or "System.Environment"
                or "System.Security.Cryptography.RandomNumberGenerator");

    [Fact]
    public void The_simulated_lane_needs_the_core_alone_and_no_sockets()
    {
        Assert.Contains("Doorbell.Core", References("Doorbell.Testing"));
        Assert.DoesNotContain("Doorbell", References("Doorbell.Testing"));
        Assert.DoesNotContain("System.Net.Sockets", References("Doorbell.Testing"));
    }

    [Fact]
    public void Nothing_points_at_the_command() =>
        Assert.DoesNotContain("Doorbell.Cli",
            References("Doorbell").Concat(References("Doorbell.Core")).Concat(References("Doorbell.Testing")));

    private static string[] References(string assembly) => Read(assembly, static metadata => metadata.AssemblyReferences
        .Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name)).Order(StringComparer.Ordinal));

    private static string[] TypesNamed(string assembly) => Read(assembly, static metadata => metadata.TypeReferences
        .Select(metadata.GetTypeReference)
        .Select(type => $"{metadata.GetString(type.Namespace)}.{metadata.GetString(type.Name)}"));

    private static string[] Read(string assembly, Func<MetadataReader, IEnumerable<string>> read)
    {
        using PEReader file = new(File.OpenRead(Path.Combine(AppContext.BaseDirectory, assembly + ".dll")));
        return [.. read(file.GetMetadataReader())];
    }
}
