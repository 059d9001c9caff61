namespace Doorbell;

/// <summary>A field that a PROXY header may have behind its addresses: type, length, value (section 2.2 of the protocol).</summary>
/// <param name="Type">What it is: 0x01 ALPN, 0x02 the name that the client asked for, 0x20 TLS, 0xEA of AWS, and so on.</param>
/// <param name="Value">Its bytes; may be kept as long as the header.</param>
public readonly record struct ProxyTlv(byte Type, ReadOnlyMemory<byte> Value)
{
    /// <summary>Bytes before the value: a type and a length of two bytes.</summary>
    internal const int PrefixBytes = 3;
}
