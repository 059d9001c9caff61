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

    [Theory]
    [InlineData("""{ "NoKey": 1 }""")]
    [InlineData("""{ "StreamLimits": { "NoKey": 1 } }""")]
    [InlineData("""{ "Doors": [{ "Endpoint": "tcp://127.0.0.1:0", "NoKey": 1 }] }""")]
    [InlineData("""{ "Doors": [{ "Endpoint": "tcp://127.0.0.1:0", "Service": "echo", "Access": { "NoKey": 1 } }] }""")]
    [InlineData("""{ "Doors": [{ "Endpoint": "tcp://127.0.0.1:0", "Service": "echo", "Limits": { "NoKey": 1 } }] }""")]
    [InlineData("""{ "Doors": [{ "Endpoint": "udp://127.0.0.1:0", "Service": "echo", "Limits": { "NoKey": 1 } }] }""")]
    [InlineData("""{ "Doors": [{ "Endpoint": "coap://127.0.0.1:0", "Service": "echo", "Limits": { "NoKey": 1 } }] }""")]
    public void The_page_lists_every_key_that_there_is(string configuration)
    {
        using Scratch file = new(".json");
        File.WriteAllText(file.Path, configuration);
        Ended ended = Doorbells.Run("native", "", "serve", "--config", file.Path);
        Assert.Equal(2, ended.ExitCode);
        string page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "command.md"));
        string keys = ended.Error[(ended.Error.IndexOf("give one of ", StringComparison.OrdinalIgnoreCase) + "give one of ".Length)..];
        Assert.All(keys.Trim().Split(", "), key => Assert.Contains($"`{key}`", page, StringComparison.Ordinal));
    }
}
