using System.Diagnostics.CodeAnalysis;
using Doorbell.Coap.Codec;

namespace Doorbell.Coap.Client;

/// <summary>How a client's requests end, and what comes of those that observe.</summary>
/// <param name="limits">The client's.</param>
/// <param name="active">Its requests.</param>
/// <param name="random">Null over a stream: there nobody has to register again, as a notification can't get lost.</param>
internal sealed class CoapOutcomes(CoapClientLimits limits, CoapTransactions active, CoapRandom? random)
{
    private readonly Queue<CoapClientResponse> _responses = new();

    /// <summary>The next one that nobody has been told yet.</summary>
    public bool TryTake([NotNullWhen(true)] out CoapClientResponse? response) => _responses.TryDequeue(out response);

    public void End(CoapTransaction transaction, CoapFailure failure, TimeSpan now)
    {
        Remove(transaction);
        if (transaction.FetchesFor is { } observed)
        {
            // The rest of a state could not be fetched, as when it has changed meanwhile: the state is asked for anew.
            observed.Fetch = null;
            if (failure == CoapFailure.AnswerTooLarge)
            {
                End(observed, failure, now);
                EndObservation(observed, now);
                return;
            }

            observed.Continue();
        }
        else if (!transaction.IsSilent)
        {
            Tell(transaction, new(transaction.Id, failure, CoapCode.Empty, [], null, transaction.AllSends, now - transaction.Begun));
        }
    }

    private void Tell(CoapTransaction transaction, CoapClientResponse response)
    {
        StopFetching(transaction);
        _responses.Enqueue(response);
    }

    public void Remove(CoapTransaction transaction)
    {
        active.Remove(transaction);
        StopFetching(transaction);
    }

    private void StopFetching(CoapTransaction transaction)
    {
        if (transaction.Fetch is { } fetch)
        {
            transaction.Fetch = null;
            active.Remove(fetch);
        }
    }

    /// <summary>Tells the server that nobody observes any more (RFC 7641 section 3.6), unless that is told too often already.</summary>
    public void EndObservation(CoapTransaction ended, TimeSpan now)
    {
        if (ended.Observing is null || ended.AllSends == 0 || active.Count >= 2 * limits.MaxRequests)
        {
            return;
        }

        CoapClientRequest request = ended.Request with { Observes = false };
        CoapTransaction ending = new(ended.Id, request, ended.BlockExponent, now) { EndsObservation = ended.Token };
        ending.Continue();
        active.Add(ending);
    }

    /// <summary>One of several servers' answers.</summary>
    public void Collect(CoapTransaction transaction, in CoapMessage message, TimeSpan now)
    {
        CoapBlock block = default;
        if (TryReadBlock2(transaction, message, ref block))
        {
            CoapClientResponse response = ResponseOf(transaction, message, message.Payload.ToArray(), now);
            Tell(transaction, response with { IsNotification = true, IsCut = block.More });
        }
    }

    /// <summary>A new state of an observed resource: it is told, or the rest of it is fetched first.</summary>
    public void Notified(CoapTransaction transaction, in CoapMessage message, TimeSpan now)
    {
        StopFetching(transaction);
        transaction.Wait(random is null ? TimeSpan.MaxValue : CoapObserving.RegisterAgainAt(message, now, random));
        CoapBlock block = default;
        if (!TryReadBlock2(transaction, message, ref block) || !block.More)
        {
            Tell(transaction, ResponseOf(transaction, message, message.Payload.ToArray(), now) with { IsNotification = true });
            return;
        }

        CoapClientRequest request = transaction.Request with { Observes = false };
        CoapTransaction fetch = new(transaction.Id, request, transaction.BlockExponent, now)
        {
            FetchesFor = transaction,
            MaxExponent = transaction.MaxExponent,
        };
        if (fetch.TryKeepBlock(message, block))
        {
            fetch.Continue();
            transaction.Fetch = fetch;
            active.Add(fetch);
        }
    }

    public void Complete(CoapTransaction transaction, in CoapMessage message, TimeSpan now)
    {
        byte[] body = transaction.TakeResponse(message.Payload);
        Remove(transaction);
        if (transaction.FetchesFor is { } observed)
        {
            if (message.Code.Class == 2)
            {
                observed.Fetch = null;
                Tell(observed, ResponseOf(observed, message, body, now) with { IsNotification = true });
            }
            else
            {
                End(transaction, CoapFailure.AnswerBroken, now);
            }
        }
        else if (!transaction.IsSilent)
        {
            Tell(transaction, ResponseOf(transaction, message, body, now));
        }
    }

    private static CoapClientResponse ResponseOf(CoapTransaction transaction, in CoapMessage message, byte[] body, TimeSpan now)
    {
        int? format = message.Options.TryGet(CoapOptionNumber.ContentFormat, out CoapOption option) ? (int)option.Numeric : null;
        return new(
            transaction.Id, CoapFailure.None, message.Code, body, format, transaction.AllSends, now - transaction.Begun);
    }

    /// <summary>Reads the Block2 option; without it the response is one block. False if the option is broken.</summary>
    public static bool TryReadBlock2(CoapTransaction transaction, in CoapMessage message, ref CoapBlock block) =>
        !message.Options.TryGet(CoapOptionNumber.Block2, out CoapOption option)
        || CoapBlock.TryRead(option, out block, transaction.MaxExponent);
}
