using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Doorbell.Tests;

/// <summary>The rooms have walls: what the compiled types name, where they stand, and who may look into whose.</summary>
public sealed partial class HouseTests
{
    private static readonly Lazy<TypeGraph> _graph = new(static () =>
        TypeGraph.Read([.. Repository.Files("src", "*.csproj").Select(Path.GetFileNameWithoutExtension).Order(StringComparer.Ordinal)!]));

    [Fact]
    public void Every_folder_with_types_is_a_room() => AssertNone(
        _graph.Value.Types.Where(static type => Rooms.Of(type.Folder!) is null).Select(static type => $"{type} in {type.Folder}"));

    [Fact]
    public void No_type_names_one_of_a_room_above_its_own()
    {
        AssertNone(_graph.Value.Edges
            .Where(static edge => Rooms.Of(edge.Key.From.Folder!) < Rooms.Of(edge.Key.To.Folder!))
            .Select(static edge => $"{edge.Key.From} -> {edge.Key.To} ({edge.Key.To.Folder}), {edge.Value}"));
    }

    [Fact]
    public void No_types_name_each_other_in_a_new_circle()
    {
        AssertNone(_graph.Value.Cycles()
            .Where(static circle => !Rooms.OneRoomByNature.Any(one =>
                circle.All(type => type.Folder!.StartsWith(one, StringComparison.Ordinal))))
            .Where(static circle => !Rooms.CirclesAllowed.Any(allowed => circle.All(type => allowed.Contains(type.Name))))
            .Select(circle => string.Join('\n', _graph.Value.Edges
                .Where(edge => circle.Contains(edge.Key.From) && circle.Contains(edge.Key.To))
                .Select(static edge => $"{edge.Key.From} -> {edge.Key.To}, {edge.Value}").Order().Append(""))));
    }

    /// <summary>
    /// A public type's namespace is its reader's: the package's, or one that the package publishes. An internal type's is its folder's.
    /// </summary>
    [Fact]
    public void A_type_is_in_the_namespace_of_its_folder_or_of_its_readers() => AssertNone(_graph.Value.Types
        .Where(static type => type.Folder != "Doorbell.Cli" && !Namespaces(type).Contains(type.Namespace))
        .Select(static type => $"{type.Folder}/{type}: {type.Namespace}"));

    [Fact]
    public void These_see_the_internals_of_others_and_nobody_else() => Assert.Equal(
        [
            "Doorbell -> Conformance.Tests",
            "Doorbell -> Doorbell.Lab",
            "Doorbell.Coap -> Coap.Tests",
            "Doorbell.Core -> Core.Tests",
            "Doorbell.Links -> Links.Tests",
            "Doorbell.Native -> Conformance.Tests",
            "Doorbell.Native -> Doorbell",
            "Doorbell.Native -> Doorbell.Cli",
            "Doorbell.Native -> Doorbell.Files",
            "Doorbell.Native -> Doorbell.Lab",
        ],
        Repository.Files("src", "*.csproj").SelectMany(static file => XDocument.Load(file).Descendants("InternalsVisibleTo")
            .Select(friend => $"{Path.GetFileNameWithoutExtension(file)} -> {friend.Attribute("Include")!.Value}"))
            .Order(StringComparer.Ordinal));

    [Fact]
    public void A_protocol_references_the_core_alone() => Assert.All(
        Repository.Files("src/Protocols", "*.csproj"),
        static file => Assert.Equal(
            ["Doorbell.Core"],
            XDocument.Load(file).Descendants("ProjectReference")
                .Select(static reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value))));

    /// <summary>What nobody is told of is nobody's to use.</summary>
    [Fact]
    public void A_public_type_is_named_by_the_docs_or_a_sample()
    {
        string told = string.Join('\n', Repository.Files("docs", "*.md").Concat(Repository.Files("samples", "*.cs"))
            .Append(Path.Combine(Repository.Root, "README.md")).Select(File.ReadAllText));
        HashSet<string> words = [.. Words().Matches(told).Select(static word => word.Value)];
        AssertNone(_graph.Value.Types.Where(type => type.IsPublic && !words.Contains(type.Name.Split('`')[0]))
            .Select(static type => $"{type.Assembly}: {type}"));
    }

    [Fact]
    public void Partial_types_are_for_generators_alone() => AssertNone(Repository.Files("src", "*.cs").Where(static file =>
    {
        string text = File.ReadAllText(file);
        return PartialType().IsMatch(text) && !GeneratedPart().IsMatch(text);
    }).Select(Repository.Relative));

    [Fact]
    public void Nothing_in_the_product_is_for_tests() => AssertNone(Repository.Files("src", "*.cs")
        .Where(static file => !file.Contains("/Doorbell.Testing/", StringComparison.Ordinal))
        .SelectMany(static file => File.ReadLines(file).Index()
            .Where(static line => ForTests().IsMatch(line.Item)).Select(line => $"{Repository.Relative(file)}:{line.Index + 1}")));

    [Fact]
    public void The_picture_of_the_stack_shows_every_room_in_its_order()
    {
        string picture = File.ReadAllText(Path.Combine(Repository.Root, "docs/internals.md"));
        int at = picture.Length;
        foreach (string room in Rooms.FromTheGroundUp)
        {
            int found = picture.LastIndexOf($"`{room}`", at, StringComparison.Ordinal);
            Assert.True(found >= 0, $"docs/internals.md does not show the room {room} above those below it");
            at = found;
        }
    }

    private static void AssertNone(IEnumerable<string> faults)
    {
        string[] all = [.. faults.Order(StringComparer.Ordinal)];
        Assert.True(all.Length == 0, $"{all.Length}:\n{string.Join('\n', all)}");
    }

    private static string[] Namespaces(CompiledType type)
    {
        string project = type.Folder!.StartsWith("Protocols/", StringComparison.Ordinal) ? type.Folder["Protocols/".Length..] : type.Folder;
        string ofFolder = project.Replace('/', '.').Replace("Doorbell.Core", "Doorbell", StringComparison.Ordinal);
        string package = type.Assembly is "Doorbell.Core" or "Doorbell.Native" ? "Doorbell" : type.Assembly;
        return type.Assembly == "Doorbell.Core"
            ? ["Doorbell", "Doorbell.Sessions"]
            : type.IsPublic || type.Assembly == "Doorbell.Testing" ? [package, ofFolder] : [ofFolder];
    }

    [GeneratedRegex(@"\w+")]
    private static partial Regex Words();

    [GeneratedRegex(@"\bpartial (class|struct|record|interface)\b")]
    private static partial Regex PartialType();

    [GeneratedRegex("LibraryImport|LoggerMessage|GeneratedRegex|JsonSerializable")]
    private static partial Regex GeneratedPart();

    [GeneratedRegex(@"//.*\b[Ff]or (tests|testing)\b")]
    private static partial Regex ForTests();
}
