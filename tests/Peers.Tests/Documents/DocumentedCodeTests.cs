using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Doorbell.Tests.Documents;

/// <summary>
/// The C# blocks of a page compile as they are typed, one below the other: a block sees what the blocks before it on its page declare,
/// the namespaces that they use, and the namespaces that .NET's SDK uses by itself.
/// </summary>
public sealed class DocumentedCodeTests
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

    public static TheoryData<string> Pages =>
        [.. FencedBlock.All.Where(static block => block.Kind == "csharp").Select(static block => block.Page).Distinct()];

    [Theory]
    [MemberData(nameof(Pages))]
    public void A_pages_code_compiles_as_it_is_typed(string page)
    {
        FencedBlock[] blocks = [.. FencedBlock.OfPage(page).Where(static block => block.Kind == "csharp")];
        List<string> errors = [];
        for (int i = 1; i <= blocks.Length; i++)
        {
            // What is wrong in an earlier block was told already.
            errors.AddRange(Errors(blocks[..i]).Where(error => error.StartsWith(Name(blocks[i - 1]), StringComparison.Ordinal)));
        }

        Assert.True(errors.Count == 0, string.Join('\n', errors));
    }

    private static string Name(FencedBlock block) => $"{block.Page}:{block.Line}";

    private static IEnumerable<string> Errors(FencedBlock[] blocks)
    {
        CSharpCompilation compilation = CSharpCompilation.Create(
            "documented",
            [CSharpSyntaxTree.ParseText(NamespacesOfTheSdk, _options), CSharpSyntaxTree.ParseText(Together(blocks), _options)],
            _references,
            new CSharpCompilationOptions(OutputKind.ConsoleApplication, nullableContextOptions: NullableContextOptions.Enable));
        return compilation.GetDiagnostics()
            .Where(static found => found.Severity == DiagnosticSeverity.Error)
            .Select(static found => $"{found.Location.GetMappedLineSpan().Path} {found.Location.GetMappedLineSpan().StartLinePosition.Line + 1}"
                + $": {found.Id} {found.GetMessage(System.Globalization.CultureInfo.InvariantCulture)}");
    }

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
