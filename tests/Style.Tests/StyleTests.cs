using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Doorbell.Tests;

/// <summary>What a reader may rely on in every source file.</summary>
public sealed partial class StyleTests
{
    private const int MaxLinesOfAFile = 500;
    private const int MaxLinesOfAMethod = 60;
    private const int MaxLine = 140;

    public static TheoryData<string> Folders => ["src", "tests", "samples", "bench"];

    [Theory]
    [MemberData(nameof(Folders))]
    public void No_file_is_longer_than_one_sitting(string folder) =>
        AssertNone(folder, static (file,
            text) => text.Split('\n').Length > MaxLinesOfAFile ? [$"{file} has {text.Split('\n').Length} lines"] : []);

    [Theory]
    [MemberData(nameof(Folders))]
    public void No_line_runs_off_the_screen(string folder) => AssertNone(folder, static (file, text) => text.Split('\n')
        .Index().Where(static line => line.Item.Length > MaxLine).Select(line =>
            $"{file}:{line.Index + 1} has {line.Item.Length} characters"));

    [Theory]
    [MemberData(nameof(Folders))]
    public void No_method_is_longer_than_a_screen(string folder) => AssertNone(folder, static (file, text) =>
        CSharpSyntaxTree.ParseText(text).GetRoot().DescendantNodes()
            .Where(static node => node is BaseMethodDeclarationSyntax or LocalFunctionStatementSyntax or AccessorDeclarationSyntax)
            .Select(static node => node.GetLocation().GetLineSpan())
            .Where(static span => span.EndLinePosition.Line - span.StartLinePosition.Line + 1 > MaxLinesOfAMethod)
            .Select(span => $"{file}:{span.StartLinePosition.Line + 1} has a method that ends at {span.EndLinePosition.Line + 1}"));

    [Theory]
    [MemberData(nameof(Folders))]
    public void Nothing_is_left_unfinished_or_skipped(string folder) => AssertNone(folder, static (file, text) =>
        Unfinished().Matches(text).Select(match => $"{file} says {match.Value}"));

    [Theory]
    [MemberData(nameof(Folders))]
    public void No_sleep_stands_in_for_a_condition(string folder) => AssertNone(folder, static (file, text) =>
        Sleep().Matches(text).Select(match => $"{file} says {match.Value}"));

    [Fact]
    public void Every_file_holds_one_thing_named_as_the_file() => AssertNone("src", static (file, text) =>
    {
        string name = Path.GetFileName(file).Split('.')[0];
        string[] types = [.. CSharpSyntaxTree.ParseText(text).GetRoot().DescendantNodes().OfType<MemberDeclarationSyntax>()
            .Where(static node => node.Parent is BaseNamespaceDeclarationSyntax)
            .Select(static node =>
                node is BaseTypeDeclarationSyntax type ? type.Identifier.Text : ((DelegateDeclarationSyntax)node).Identifier.Text)];
        bool named = types.Any(type => type.StartsWith(name, StringComparison.Ordinal));
        return named ? [] : [$"{file} holds {string.Join(", ", types)}"];
    });

    [GeneratedRegex(@"\b(TO" + @"DO|FIX" + @"ME|HA" + @"CK|NotImplemented" + @"Exception)\b|\bSkip\s*=")]
    private static partial Regex Unfinished();

    [GeneratedRegex(@"Thread\.Sl" + @"eep\(")]
    private static partial Regex Sleep();

    private static void AssertNone(string folder, Func<string, string, IEnumerable<string>> faults)
    {
        string[] files = Repository.Files(folder, "*.cs");
        Assert.NotEmpty(files);
        Assert.Empty(files.SelectMany(file => faults(Repository.Relative(file), File.ReadAllText(file))));
    }
}
