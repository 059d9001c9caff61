using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Doorbell.Tests;

/// <summary>
/// Off Linux no system call of Linux is made. It is the sources that are read: which files declare calls, which name the types that do,
/// and whether these ask for the system. (That the question stands before the call, only a reader can say.)
/// </summary>
public sealed class PlatformTests
{
    private const string Native = "src/Doorbell.Native/";
    private const string Question = "OperatingSystem.IsLinux()";

    /// <summary>Folders that are Linux's alone: <c>EpollEngine.Refuses</c> and the like keep the others out.</summary>
    private static readonly string[] _linuxAlone = [Native, "src/Doorbell/Lanes/", "src/Doorbell/Engines/", "src/Doorbell/Processes/"];

    /// <summary>Files that are reached through another only, and that one asks.</summary>
    private static readonly Dictionary<string, string> _askedBefore = new()
    {
        ["src/Doorbell/Serving/TakeoverListener.cs"] = "src/Doorbell/Sockets/TakeoverClient.cs",
        ["src/Doorbell.Lab/Impair/Datagrams/EpollArrivals.cs"] = "src/Doorbell.Lab/Impair/Datagrams/DatagramProxy.cs",
        ["src/Doorbell.Lab/Models/ProcessTree.cs"] = "src/Doorbell.Cli/Verbs/BenchCommand.cs",
        ["src/Doorbell.Lab/Models/ServerUnderTest.cs"] = "src/Doorbell.Cli/Verbs/BenchCommand.cs",
        ["src/Doorbell.Cli/Ends/StandardStreamsTarget.cs"] = "src/Doorbell.Cli/Ends/EndTarget.cs",
        ["src/Doorbell.Cli/Ends/PseudoTerminalTarget.cs"] = "src/Doorbell.Cli/Ends/EndTarget.cs",
        ["src/Doorbell.Cli/Ends/SerialTarget.cs"] = "src/Doorbell.Cli/Ends/EndTarget.cs",
        ["src/Doorbell.Cli/Ends/VsockTarget.cs"] = "src/Doorbell.Cli/Ends/EndTarget.cs",
        ["src/Doorbell.Cli/Ends/VsockRelay.cs"] = "src/Doorbell.Cli/Ends/EndTarget.cs",
        ["src/Doorbell.Cli/Ends/DescriptorStream.cs"] = "src/Doorbell.Cli/Ends/EndTarget.cs",
        ["src/Doorbell.Cli/Verbs/OneRelay.cs"] = "src/Doorbell.Cli/Ends/EndTarget.cs",
    };

    private static readonly Dictionary<string, string> _sources =
        Repository.Files("src", "*.cs").ToDictionary(Repository.Relative, File.ReadAllText);

    [Fact]
    public void Every_call_into_the_system_s_libraries_is_declared_in_Native() => Assert.All(
        _sources.Where(static source => Declares(source.Value)).Select(static source => source.Key),
        static file => Assert.StartsWith(Native, file, StringComparison.Ordinal));

    [Fact]
    public void Who_names_a_type_that_calls_Linux_is_Linux_s_alone_or_asks_for_the_system()
    {
        HashSet<string> calling = CallingTypes();
        Assert.Contains("Libc", calling);
        Assert.Contains("Epoll", calling);
        string[] naming = [.. _sources.Where(source => Names(source.Value, calling)).Select(static source => source.Key)];
        Assert.Contains("src/Doorbell/Sockets/DoorSocket.cs", naming);
        Assert.DoesNotContain(naming, static file => !_linuxAlone.Any(folder => file.StartsWith(folder, StringComparison.Ordinal))
            && !_sources[_askedBefore.GetValueOrDefault(file, file)].Contains(Question, StringComparison.Ordinal));
    }

    private static bool Declares(string source) => CSharpSyntaxTree.ParseText(source).GetRoot().DescendantNodes()
        .OfType<AttributeSyntax>().Any(static attribute => attribute.Name.ToString() is "LibraryImport" or "DllImport");

    /// <summary>Native's types that call, or that name one that does, unless they ask for the system themselves.</summary>
    private static HashSet<string> CallingTypes()
    {
        string[] native = [.. _sources.Where(static source => source.Key.StartsWith(Native, StringComparison.Ordinal))
            .Where(static source => !source.Value.Contains(Question, StringComparison.Ordinal)).Select(static source => source.Value)];
        HashSet<string> calling = [.. native.Where(Declares).SelectMany(Types)];
        for (int before = 0; before < calling.Count;)
        {
            before = calling.Count;
            calling.UnionWith([.. native.Where(source => Names(source, calling)).SelectMany(Types)]);
        }

        return calling;
    }

    /// <summary>Classes: structs and enumerations have no calls.</summary>
    private static IEnumerable<string> Types(string source) => CSharpSyntaxTree.ParseText(source).GetRoot().DescendantNodes()
        .OfType<ClassDeclarationSyntax>().Where(static type => type.Parent is BaseNamespaceDeclarationSyntax)
        .Select(static type => type.Identifier.Text);

    /// <summary>As a type: as in <c>Epoll.Wait</c> or <c>new Epoll</c>, not as in <c>EngineKind.Epoll</c>. A constant is no call.</summary>
    private static bool Names(string source, HashSet<string> types) => CSharpSyntaxTree.ParseText(source).GetRoot().DescendantNodes()
        .OfType<IdentifierNameSyntax>().Any(name => types.Contains(name.Identifier.Text)
            && (name.Parent is not MemberAccessExpressionSyntax access || (access.Expression == name && IsCall(access))));

    private static bool IsCall(MemberAccessExpressionSyntax access) => access.Parent is InvocationExpressionSyntax call
        && call.Expression == access;
}
