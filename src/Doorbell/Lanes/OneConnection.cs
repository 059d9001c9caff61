using Doorbell.Serving;

namespace Doorbell.Lanes;

/// <summary>A connection that another process has accepted, and that is all that this one serves.</summary>
internal static class OneConnection
{
    /// <summary>Carries it to its end, on a thread of its own.</summary>
    public static async Task ServeAsync(AcceptedSocket accepted, ServerContext context)
    {
        AdmissionDecision decision = Admission.Decide(accepted.Peer, accepted.At);
        if (decision != AdmissionDecision.Admitted)
        {
            context.CountRefusal(accepted.At, accepted.Peer, decision);
            Acceptor.Close(accepted.Descriptor, []);
            return;
        }

        using ShutdownEvents shutdown = new(context.Shutdown);
        _ = context.Admission.TryAcquire();
        OutgoingThreads outgoing = BlockingLane.NewOutgoing(context, shutdown);
        BlockingLane lane = new(context, shutdown, outgoing);
        await LaneThread.RunAsync("connection", context, () => () => lane.Carry(accepted)).ConfigureAwait(false);
        outgoing.Wait();
    }
}
