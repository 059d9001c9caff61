namespace Doorbell.Tests.Documents;

/// <summary>
/// The C# blocks of a page compile as they are typed, one below the other: a block sees what the blocks before it on its page declare,
/// the namespaces that they use, and the namespaces that .NET's SDK uses by itself.
/// </summary>
public sealed class DocumentedCodeTests
{
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
            string own = DocumentedCode.Name(blocks[i - 1]) + " ";
            errors.AddRange(DocumentedCode.Errors(blocks[..i]).Where(error => error.StartsWith(own, StringComparison.Ordinal)));
        }

        Assert.True(errors.Count == 0, string.Join('\n', errors));
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void A_page_names_projects_that_are_there(string page)
    {
        // The clone is named doorbell.
        const string Clone = "doorbell/";
        string[] projects =
        [
            .. FencedBlock.OfPage(page).SelectMany(static block => block.Text.Split('\n'))
                .Where(static line => line.StartsWith("#:project ", StringComparison.Ordinal)),
        ];
        Assert.All(projects, static line =>
        {
            string folder = Path.Combine(Repository.Root, line[(line.IndexOf(Clone, StringComparison.Ordinal) + Clone.Length)..]);
            Assert.Single(Directory.GetFiles(folder, "*.csproj"));
        });
    }
}
