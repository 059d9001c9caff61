namespace Doorbell.Cli.Arguments;

/// <summary>A dialogue written down: <c>docs/scripts.md</c> has its grammar.</summary>
/// <param name="File">Its name, fit to print.</param>
/// <param name="Statements">In the file's order.</param>
/// <param name="Labels">Before which statement each stands.</param>
internal sealed record Script(string File, IReadOnlyList<ScriptStatement> Statements, IReadOnlyDictionary<string, int> Labels)
{
    private const int MaxBytes = 1024 * 1024;

    /// <summary>Reads a file.</summary>
    /// <exception cref="ConfigurationException">It can't be read, or a line of it is wrong.</exception>
    public static Script Read(string path)
    {
        string file = PrintableText.Escape(path);
        string[] lines = BoundedFile.ReadText(path, MaxBytes, "a script").Split('\n');
        List<ScriptStatement> statements = [];
        Dictionary<string, int> labels = [];
        bool isBehindBranch = false;
        foreach ((int index, string text) in lines.Index())
        {
            ScriptLine line = new(file, index + 1, text);
            if (line.IsEmpty)
            {
                continue;
            }

            string word = line.Word("a statement");
            if (word == "on" && isBehindBranch)
            {
                ((ScriptStatement.Await)statements[^1]).Branches.Add(Branch(line));
            }
            else if (word == "label")
            {
                string name = line.Word("a label's name");
                if (!labels.TryAdd(name, statements.Count))
                {
                    throw line.Wrong($"the label {name} stands in the file already");
                }
            }
            else
            {
                statements.Add(Statement(word, line));
            }

            isBehindBranch = word == "on";
            line.RequireEnd();
        }

        Script script = new(file, statements, labels);
        script.RequireLabels();
        return script;
    }

    private static ScriptStatement Statement(string word, ScriptLine line) => word switch
    {
        "on" => new ScriptStatement.Await(line.Number, [Branch(line)]),
        "expect" => new ScriptStatement.Await(line.Number, [new ScriptStatement.Branch(ScriptEvent.Found, line.Pattern(), Then: null)]),
        "send" => new ScriptStatement.Send(line.Number, line.Text()),
        "timeout" => new ScriptStatement.Timeout(line.Number, line.Time()),
        "half-close" => new ScriptStatement.HalfClose(line.Number),
        "close" => new ScriptStatement.Close(line.Number),
        "goto" or "fail" => Jump(word, line),
        _ => throw line.Wrong(
            $"\"{word}\" is no statement: give one of send, expect, on, timeout, label, goto, fail, half-close, close"),
    };

    private static ScriptStatement.Branch Branch(ScriptLine line)
    {
        ScriptPattern? pattern = line.IsPattern ? line.Pattern() : null;
        ScriptEvent when = pattern is not null ? ScriptEvent.Found : line.Word("a pattern, timeout or end") switch
        {
            "timeout" => ScriptEvent.TimedOut,
            "end" => ScriptEvent.PeerEnded,
            var other => throw line.Wrong($"behind on stands \"TEXT\", /EXPRESSION/, timeout or end, not {other}"),
        };
        return new ScriptStatement.Branch(when, pattern, Jump(line.Word("goto or fail"), line));
    }

    private static ScriptStatement Jump(string word, ScriptLine line) => word switch
    {
        "goto" => new ScriptStatement.GoTo(line.Number, line.Word("a label's name")),
        "fail" => new ScriptStatement.Fail(line.Number, PrintableText.Escape(line.Text())),
        _ => throw line.Wrong($"here stands goto LABEL or fail \"TEXT\", not {word}"),
    };

    private void RequireLabels()
    {
        IEnumerable<ScriptStatement?> jumps = Statements.SelectMany(static statement => statement is ScriptStatement.Await waits
            ? waits.Branches.Select(static branch => branch.Then)
            : [statement]);
        foreach (ScriptStatement.GoTo jump in jumps.OfType<ScriptStatement.GoTo>())
        {
            if (!Labels.ContainsKey(jump.Label))
            {
                throw new ConfigurationException($"{File}:{jump.Line}: there is no label {jump.Label}");
            }
        }
    }
}
