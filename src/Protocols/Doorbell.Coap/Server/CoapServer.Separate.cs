using Doorbell.Sessions;

namespace Doorbell.Coap;

/// <content>Separate answers (RFC 7252 section 5.2.2).</content>
public sealed partial class CoapServer
{
    /// <summary>
    /// The next datagram to send that answers none just received: a slow resource's answer, computed now, or one to be sent again as
    /// nobody has acknowledged it. To be called until there is none, whenever <see cref="Deadline"/> has come.
    /// </summary>
    /// <param name="now">On the scale of <see cref="Received(ReadOnlySpan{byte}, PeerAddress, TimeSpan)"/>.</param>
    /// <param name="utcNow">The wall clock at the same moment.</param>
    /// <param name="path">Where to, and from which address of ours.</param>
    /// <param name="datagram">It, valid until the next call.</param>
    /// <returns>Whether there is one.</returns>
    /// <exception cref="Exception">What the resource threw: its answer is 5.00, which the next call gives.</exception>
    public bool TryTakeDue(TimeSpan now, DateTimeOffset utcNow, out DatagramPath path, out ReadOnlySpan<byte> datagram)
    {
        path = default;
        datagram = default;
        if (_separate.TakeDue(now) is not { } due)
        {
            return false;
        }

        if (due.Answer is null)
        {
            Compute(due, new CoapMoment(now, utcNow));
        }

        path = due.Path;
        datagram = due.Answer;
        _separate.Sent(due, now);
        return true;
    }

    /// <summary>Acknowledges a request; its resource is asked when the acknowledgement has been sent.</summary>
    private CoapResponse Defer(scoped ref CoapExchangeContext call, ReadOnlySpan<byte> body)
    {
        if (_separate.IsFull)
        {
            return new CoapResponse(CoapCode.ServiceUnavailable) { MaxAge = RetryAfter };
        }

        call.Remembers = true;
        byte[]? whole = call.IsInBlocks ? body.ToArray() : null;
        _separate.Add(new CoapSeparateResponse(call.Datagram.ToArray(), whole, call.Path, call.At.Now)
        {
            IsConfirmable = call.IsConfirmable,
        });
        return default;
    }

    private void Compute(CoapSeparateResponse due, CoapMoment at)
    {
        _ = CoapMessage.TryRead(due.Request, out CoapMessage message);
        CoapExchangeContext call = new() { Datagram = due.Request, Message = message, Path = due.Path, At = at, IsProved = true };
        call.Asked = CoapRequestOptions.Read(message.Options, _path);
        _ = TryFind(call.Asked, out CoapResource? resource, out CoapFunction? function);
        CoapCode code = Call(ref call, resource!, function!, due.Body ?? message.Payload);
        CoapResponse answer = Finish(ref call, resource!, code, out ReadOnlySpan<byte> payload);
        due.MessageId = _nextMessageId++;
        CoapType type = due.IsConfirmable ? CoapType.Confirmable : CoapType.NonConfirmable;
        due.Answer = Write(type, answer, due.MessageId, message.Token, payload).ToArray();
        _separate.Computed(due);
        call.Fault?.Throw();
    }
}
