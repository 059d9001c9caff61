using Doorbell.Coap.Codec;

namespace Doorbell.Coap.Client;

/// <summary>The last Echo value of a server, which goes with every request from then on (RFC 9175 section 2.3).</summary>
internal sealed class CoapKeptEcho
{
    /// <summary>An Echo option's longest value (RFC 9175 section 2.2.1).</summary>
    private const int MaxBytes = 40;

    private readonly byte[] _value = new byte[MaxBytes];
    private int _length;

    public ReadOnlySpan<byte> Value => _value.AsSpan(0, _length);

    /// <summary>Keeps a message's value; false if it has none.</summary>
    public bool TryKeep(in CoapMessage message)
    {
        if (!message.Options.TryGet(CoapOptionNumber.Echo, out CoapOption echo) || echo.Value.Length is 0 or > MaxBytes)
        {
            return false;
        }

        echo.Value.CopyTo(_value);
        _length = echo.Value.Length;
        return true;
    }
}
