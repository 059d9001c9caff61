using System.Text.Json.Nodes;

namespace Doorbell.Tests.Documents;

/// <summary>The JSON blocks are configurations: a server starts with each of them.</summary>
public sealed class DocumentedConfigurationTests
{
    public static TheoryData<string, int> Blocks
    {
        get
        {
            TheoryData<string, int> blocks = [];
            foreach (FencedBlock block in FencedBlock.All.Where(static block => block.Kind == "json"))
            {
                blocks.Add(block.Page, block.Line);
            }

            return blocks;
        }
    }

    [Theory]
    [MemberData(nameof(Blocks))]
    public void A_server_starts_with_it(string page, int line)
    {
        string text = FencedBlock.OfPage(page).Single(block => block.Line == line).Text;
        JsonObject settings = JsonNode.Parse(text)!.AsObject();
        if (settings["Doorbell"] is JsonObject section)
        {
            // A program has its server's settings in a section of their own, and its service is code.
            settings = section;
            settings["Service"] = "echo";
        }

        using Reader reader = new();
        reader.Save("serve.json", settings.ToJsonString());
        reader.Types("doorbell serve --config serve.json");
        reader.EndsServers();
    }
}
