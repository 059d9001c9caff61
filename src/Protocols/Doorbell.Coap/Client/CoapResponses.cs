using Doorbell.Coap.Codec;

namespace Doorbell.Coap.Client;

/// <summary>What a client makes of a response, whatever carried it: the end of its request, or the next of its messages.</summary>
internal sealed class CoapResponses(CoapClientLimits limits, CoapOutcomes outcomes)
{
    private readonly CoapKeptEcho _echo = new();

    /// <summary>The server's last Echo value, or nothing.</summary>
    public ReadOnlySpan<byte> Echo => _echo.Value;

    /// <summary>A response to the message under way: the request goes on with another message, or ends.</summary>
    public void Take(CoapTransaction transaction, in CoapMessage message, TimeSpan now)
    {
        bool hasEcho = _echo.TryKeep(message);
        CoapBlock block = default;
        if (transaction.Observing is { } observing && message.Code.Class == 2
            && message.Options.TryGet(CoapOptionNumber.Observe, out CoapOption sequence))
        {
            if (observing.TryTake((uint)sequence.Numeric, now))
            {
                outcomes.Notified(transaction, message, now);
            }

            return;
        }

        transaction.Observing?.End();
        if (hasEcho && message.Code == CoapCode.Unauthorized && !transaction.HasEchoed)
        {
            transaction.Continue();
            transaction.HasEchoed = true;
        }
        else if (transaction.ResponseLength == 0 && transaction.TryContinueBody(message))
        {
            transaction.Continue();
        }
        else if (message.Code.Class == 2 && !transaction.HasWholeBody(message))
        {
            outcomes.End(transaction, CoapFailure.BodyNotTaken, now);
        }
        else if (message.Code == CoapCode.Continue || !CoapOutcomes.TryReadBlock2(transaction, message, ref block)
            || !transaction.TryKeepBlock(message, block))
        {
            outcomes.End(transaction, CoapFailure.AnswerBroken, now);
        }
        else if (transaction.ResponseLength + (block.More ? 0 : message.Payload.Length) > limits.MaxAnswerBytes)
        {
            outcomes.End(transaction, CoapFailure.AnswerTooLarge, now);
        }
        else if (block.More)
        {
            transaction.Continue();
        }
        else
        {
            outcomes.Complete(transaction, message, now);
        }
    }

    /// <summary>Whether a response has an option that must be understood and isn't (RFC 7252 section 5.4.1).</summary>
    public static bool HasUnknownCriticalOption(CoapOptions options)
    {
        foreach (CoapOption option in options)
        {
            if (CoapOptionNumber.IsCritical(option.Number) && option.Number is not (CoapOptionNumber.Block1 or CoapOptionNumber.Block2))
            {
                return true;
            }
        }

        return false;
    }
}
