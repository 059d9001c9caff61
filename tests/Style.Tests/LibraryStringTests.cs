using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Doorbell.Tests;

/// <summary>
/// A library does not know the command: its messages name properties, and <c>OptionNames</c> has the command's words for them.
/// </summary>
public sealed partial class LibraryStringTests
{
    private const string Command = "src/Doorbell.Cli/";
    private const string Names = Command + "Arguments/OptionNames.cs";

    private static readonly string _root = Root(AppContext.BaseDirectory);

    private static readonly (string File, string Text)[] _strings = [.. Directory
        .GetFiles(Path.Combine(_root, "src"), "*.cs", SearchOption.AllDirectories)
        .Select(static file => Path.GetRelativePath(_root, file))
        .Where(static file => !file.StartsWith(Command, StringComparison.Ordinal))
        .SelectMany(static file => Strings(file).Select(text => (file, text)))];

    [Fact]
    public void No_library_tells_its_user_to_give_the_command_an_option()
    {
        Assert.NotEmpty(_strings);
        Assert.DoesNotContain(_strings, static text => WordsOfTheCommand().IsMatch(text.Text));
    }

    [Fact]
    public void Every_key_that_the_command_has_a_word_for_stands_in_a_library_s_message()
    {
        string[] keys = [.. Tree(Names).DescendantNodes().OfType<ImplicitElementAccessSyntax>()
            .Select(static access => access.DescendantNodes().OfType<LiteralExpressionSyntax>().Single().Token.ValueText)];
        Assert.Contains("ServerOptions.ListenBacklog", keys);
        Assert.All(keys, static key => Assert.Contains(_strings, text => text.Text.Contains(key, StringComparison.Ordinal)));
    }

    [GeneratedRegex("--[a-z]{3,}|`doorbell ")]
    private static partial Regex WordsOfTheCommand();

    /// <summary>All that stands between quotation marks, interpolated strings' texts too.</summary>
    private static IEnumerable<string> Strings(string file) => Tree(file).DescendantTokens()
        .Where(static token => token.Kind() is SyntaxKind.StringLiteralToken or SyntaxKind.InterpolatedStringTextToken
            or SyntaxKind.SingleLineRawStringLiteralToken or SyntaxKind.MultiLineRawStringLiteralToken
            or SyntaxKind.Utf8StringLiteralToken)
        .Select(static token => token.ValueText);

    private static SyntaxNode Tree(string file) => CSharpSyntaxTree.ParseText(File.ReadAllText(Path.Combine(_root, file))).GetRoot();

    private static string Root(string folder) =>
        File.Exists(Path.Combine(folder, "Doorbell.slnx")) ? folder : Root(Path.GetDirectoryName(folder)!);
}
