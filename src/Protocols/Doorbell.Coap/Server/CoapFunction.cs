namespace Doorbell.Coap;

/// <summary>A resource: answers one request.</summary>
/// <param name="request">Lent for the call.</param>
/// <param name="body">Where the answer's body is written.</param>
/// <returns>The answer's code.</returns>
public delegate CoapCode CoapFunction(CoapRequest request, System.Buffers.IBufferWriter<byte> body);
