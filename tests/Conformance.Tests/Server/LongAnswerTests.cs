namespace Doorbell.Tests;

/// <summary>A client that takes a long answer steadily is seen to do so.</summary>
public sealed class LongAnswerTests
{
    private const int AnswerBytes = 40 * 1024 * 1024;
    private const int PieceBytes = 1024 * 1024;

    public static TheoryData<string> Here => Models.Only(Models.Here);

    [Theory]
    [MemberData(nameof(Here))]
    public async Task What_the_client_has_taken_of_an_answer_is_reported_before_all_of_it_is_sent(string model)
    {
        Service service = new("long")
        {
            NewStreamHandler = static _ => new Long(),
            StreamLimits = StreamLimits.Default with { MaxPendingOutput = AnswerBytes },
        };
        await using Running running = await Running.StartAsync(service, model: model);
        using Peer peer = running.Connect();
        peer.Send("?");
        for (long taken = PieceBytes; taken < AnswerBytes; taken += PieceBytes)
        {
            peer.Receive(PieceBytes);
            Peer.Eventually(() => running.Server.Connections is [{ } open] && open.BytesSent >= taken, "what was taken is reported");
        }
    }

    private sealed class Long : StreamHandler
    {
        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
        {
            turn.Output.Write(new byte[AnswerBytes]);
            return Step.More(input.Length);
        }
    }
}
