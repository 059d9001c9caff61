using System.Buffers;
using System.Runtime.ExceptionServices;
using Doorbell.Sessions;

namespace Doorbell.Coap.Server;

/// <summary>A datagram service that is asked as a resource is.</summary>
internal sealed class DatagramResource(Service service, DatagramSocketInfo socket)
{
    /// <summary>Neither a datagram's size nor a peer's address is to be doubted here.</summary>
    private readonly DatagramSession _session = new(
        service.NewDatagramHandler!(socket),
        new DatagramLimits { MaxAmplification = 0, MaxDatagramBytes = int.MaxValue, MaxAnswersPerTurn = 1 },
        new Ledger([.. service.Counters]));

    public CoapCode Answer(CoapRequest request, IBufferWriter<byte> body)
    {
        _session.Received(request.Payload, request.From, request.Now, request.UtcNow);
        if (_session.Outbox.Count > 0)
        {
            body.Write(_session.Outbox[0].Bytes.Span);
        }

        _session.Outbox.Clear();
        if (_session.Fault is { } fault)
        {
            _session.Fault = null;
            ExceptionDispatchInfo.Throw(fault);
        }

        return request.Method.IsSafe ? CoapCode.Content : CoapCode.Changed;
    }
}
