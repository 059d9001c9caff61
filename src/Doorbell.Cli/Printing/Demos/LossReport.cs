using System.Globalization;
using Doorbell.Lab.Demos.Loss;
using Spectre.Console;

namespace Doorbell.Cli.Printing.Demos;

/// <summary>Prints what lost datagrams do to a question and its answer, by the way it is asked.</summary>
internal static class LossReport
{
    /// <summary>How a way is called.</summary>
    public static string Name(LossWay way) => way switch
    {
        LossWay.Once => "a datagram, sent once",
        LossWay.Again => "a datagram, sent again",
        LossWay.FirstContact => "CoAP, first contact",
        _ => "CoAP, path known",
    };

    public static void Begin() => Console.Out.WriteLine(
        $"{LossRun.Clients} clients ask {LossRun.QuestionsEach} questions each, in each way, through `doorbell impair` on loopback, "
            + "which loses so much each way. About a minute.");

    public static void Print(IReadOnlyList<LossRun> runs)
    {
        PrintTable(runs);
        Explain(runs);
    }

    private static void PrintTable(IReadOnlyList<LossRun> runs)
    {
        Table table = new Table().Border(TableBorder.Simple).AddColumns("loss each way", "asked by");
        foreach (string column in new[] { "asked", "answered", "failed", "doubled effects", "median, ms", "p99, ms" })
        {
            table.AddColumn(new TableColumn(column).RightAligned());
        }

        foreach (LossRun run in runs)
        {
            foreach (LossWay way in Enum.GetValues<LossWay>())
            {
                LossTally tally = run.Of(way);
                table.AddRow(
                    way == LossWay.Once ? $"{run.Loss:0%}" : "",
                    Name(way),
                    $"{tally.Asked}",
                    $"{tally.AnsweredShare:0.0%}",
                    $"{tally.Asked - tally.Answered}",
                    $"{tally.Doubled}",
                    Milliseconds(tally.Percentile(50)),
                    Milliseconds(tally.Percentile(99)));
            }
        }

        TableOutput.Open().Write(table);
    }

    private static void Explain(IReadOnlyList<LossRun> runs)
    {
        int doubled = runs.Sum(static run => run.Of(LossWay.Again).Doubled);
        Console.Out.WriteLine($"""
            - Sent once, a question and its answer both have to arrive: at 30% each way that is 0.7 × 0.7 = 49%. Who waits longer than
              {LossRun.OnceTimeout.TotalSeconds:0} s gains nothing.
            - Sent again after 1, 2.5 and 4.7 s (`ask`'s default), most are answered. Where only the answer was lost, the service sees the
              question twice: {doubled} effects happened more than once. So it must be one that may (idempotent).
            - CoAP (RFC 7252) sends again too, and the server knows a repetition: no effect happened twice. At first contact it waits
              2 to 3 s before that, then twice as long (RFC 7252 section 4.2); once a round trip was measured, 10 ms or what the path takes
              (RFC 6298). Some at a high loss have no answer within {LossRun.ReliableTimeout.TotalSeconds:0} s, the limit here; whether
              those had their effect is unknown.
            - The chances have a seed, but who is hit depends on the order of arrival, so that figures differ a little from run to run.
            """);
    }

    private static string Milliseconds(TimeSpan? time) =>
        time?.TotalMilliseconds is { } known ? known.ToString(known < 10 ? "0.0" : "0", CultureInfo.InvariantCulture) : "-";
}
