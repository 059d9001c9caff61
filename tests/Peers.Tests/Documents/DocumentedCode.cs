using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Doorbell.Tests.Documents;

/// <summary>C# blocks as one program, made by the compiler in this process: the SDK's build takes too long for a test.</summary>
internal static class DocumentedCode
{
    private const string NamespacesOfTheSdk = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Threading;
        global using System.Threading.Tasks;
        """;

    private static readonly CSharpParseOptions _options =
        CSharpParseOptions.Default.WithFeatures([new KeyValuePair<string, string>("FileBasedProgram", "true")]);

    private static readonly MetadataReference[] _references =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Select(static file => MetadataReference.CreateFromFile(file)),
    ];

    public static string Name(FencedBlock block) => $"{block.Page}:{block.Line}";

    /// <summary>What is wrong with it; each begins with the block's name.</summary>
    public static IEnumerable<string> Errors(FencedBlock[] blocks) => Compilation("documented", Together(blocks)).GetDiagnostics()
        .Where(static found => found.Severity == DiagnosticSeverity.Error)
        .Select(static found => $"{found.Location.GetMappedLineSpan().Path} {found.Location.GetMappedLineSpan().StartLinePosition.Line + 1}"
            + $": {found.Id} {found.GetMessage(System.Globalization.CultureInfo.InvariantCulture)}");

    /// <summary>Makes a program of a file's text: an assembly, for <c>dotnet ASSEMBLY</c>.</summary>
    public static void Build(string text, string assembly)
    {
        Assert.True(Compilation(Path.GetFileNameWithoutExtension(assembly), text).Emit(assembly).Success);
        File.Copy(
            Path.Combine(AppContext.BaseDirectory, "Peers.Tests.runtimeconfig.json"),
            Path.ChangeExtension(assembly, ".runtimeconfig.json"));
        foreach (string library in Directory.GetFiles(AppContext.BaseDirectory, "*.dll"))
        {
            File.Copy(library, Path.Combine(Path.GetDirectoryName(assembly)!, Path.GetFileName(library)));
        }
    }

    private static CSharpCompilation Compilation(string name, string text) => CSharpCompilation.Create(
        name,
        [CSharpSyntaxTree.ParseText(NamespacesOfTheSdk, _options), CSharpSyntaxTree.ParseText(text, _options)],
        _references,
        new CSharpCompilationOptions(OutputKind.ConsoleApplication, nullableContextOptions: NullableContextOptions.Enable));

    /// <summary>
    /// One program. The statements of each block stand in a local function of those of the block before, so that a name may be declared
    /// again. A <c>#line</c> has an error told as the block's.
    /// </summary>
    private static string Together(FencedBlock[] blocks)
    {
        StringBuilder usings = new();
        StringBuilder statements = new("await Block0();\n");
        StringBuilder types = new();
        for (int i = 0; i < blocks.Length; i++)
        {
            CompilationUnitSyntax unit = CSharpSyntaxTree.ParseText(blocks[i].Text, _options).GetCompilationUnitRoot();
            Add(unit.Usings, usings, blocks[i]);
            statements.Append("async Task Block").Append(i).Append("()\n{\nawait Task.Yield();\n");
            Add(unit.Members.OfType<GlobalStatementSyntax>(), statements, blocks[i]);
            if (i + 1 < blocks.Length)
            {
                statements.Append("await Block").Append(i + 1).Append("();\n");
            }

            Add(unit.Members.Where(static member => member is not GlobalStatementSyntax), types, blocks[i]);
        }

        return $"{usings}{statements}{new string('}', blocks.Length)}\n{types}";
    }

    private static void Add(IEnumerable<SyntaxNode> nodes, StringBuilder to, FencedBlock block)
    {
        foreach (SyntaxNode node in nodes)
        {
            int line = node.GetLocation().GetLineSpan().StartLinePosition.Line;
            to.Append("#line ").Append(line + 1).Append(" \"").Append(Name(block)).Append("\"\n");

            // Text before it, as a directive of a file-based program, is not for this place.
            to.Append(node.ToString()).Append('\n');
        }
    }
}
