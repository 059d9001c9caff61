using System.Text;
using System.Text.Unicode;
using Doorbell.Coap.Codec;

namespace Doorbell.Coap.Server;

/// <summary>What a request's options say, as far as the server has to know it.</summary>
internal ref struct CoapRequestOptions
{
    /// <summary>Most bytes of a Uri-Host, Uri-Path or Uri-Query (RFC 7252 section 5.10).</summary>
    private const int MaxTextBytes = 255;

    /// <summary>Most bytes of an Observe option (RFC 7641 section 2).</summary>
    private const int MaxObserveBytes = 3;

    private readonly Span<char> _path;
    private readonly int _maxExponent;
    private int _pathChars;
    private int _segments;
    private bool _isOddPath;

    /// <param name="path">Room for the path. A path that does not fit is no resource's.</param>
    /// <param name="maxExponent">The largest exponent of a block.</param>
    private CoapRequestOptions(Span<char> path, int maxExponent)
    {
        _path = path;
        _maxExponent = maxExponent;
    }

    /// <summary>The response's code if the options alone decide it; otherwise the default.</summary>
    public CoapCode Refused { get; private set; }

    /// <summary>Why they do.</summary>
    public string? Diagnostic { get; private set; }

    public CoapBlock? Block1 { get; private set; }

    public CoapBlock? Block2 { get; private set; }

    public int? Accept { get; private set; }

    public int? ContentFormat { get; private set; }

    public uint? Size1 { get; private set; }

    /// <summary>Whether the client wants to observe the resource, or to observe it no more (RFC 7641 section 2).</summary>
    public bool Observes { get; private set; }

    public bool EndsObserving { get; private set; }

    public ReadOnlySpan<byte> Echo { get; private set; }

    /// <summary>The segments with slashes between them. It is no resource's path if <see cref="IsOddPath"/>.</summary>
    public readonly ReadOnlySpan<char> Path => _path[.._pathChars];

    /// <summary>Whether the path is too long, or a segment has a slash in it or is not UTF-8.</summary>
    public readonly bool IsOddPath => _isOddPath;

    /// <summary>Reads the options of a datagram's request, or, with blocks of a larger exponent, of a stream's.</summary>
    public static CoapRequestOptions Read(CoapOptions options, Span<char> path, int maxExponent = CoapBlock.MaxSizeExponent)
    {
        CoapRequestOptions read = new(path, maxExponent);
        int last = -1;
        foreach (CoapOption option in options)
        {
            bool isKnown = read.TryRead(option, isRepeated: option.Number == last);
            last = option.Number;
            if (option.Number is CoapOptionNumber.ProxyUri or CoapOptionNumber.ProxyScheme)
            {
                read.Refuse(CoapCode.ProxyingNotSupported, "This server is no proxy.");
                return read;
            }

            // RFC 7252 sections 5.4.1, 5.4.3 and 5.4.5: a known option of the wrong length, or once too often, counts as unknown.
            if (!isKnown && CoapOptionNumber.IsCritical(option.Number) && read.Refused != CoapCode.BadOption)
            {
                string name = CoapOptionNumber.NameOf(option.Number);
                read.Refuse(CoapCode.BadOption, $"{name} is not understood, has a wrong length, or comes once too often.");
            }
        }

        return read;
    }

    private void Refuse(CoapCode code, string diagnostic) => (Refused, Diagnostic) = (code, diagnostic);

    private bool TryRead(CoapOption option, bool isRepeated)
    {
        switch (option.Number)
        {
            case CoapOptionNumber.UriPath:
                AddSegment(option.Value);
                return option.Value.Length <= MaxTextBytes;
            case CoapOptionNumber.UriQuery:
                return option.Value.Length <= MaxTextBytes;
            case CoapOptionNumber.UriHost:
                return option.Value.Length is > 0 and <= MaxTextBytes && !isRepeated;
            case CoapOptionNumber.UriPort:
                return option.Value.Length <= sizeof(ushort) && !isRepeated;
            case CoapOptionNumber.Accept:
                Accept = (int)option.Numeric;
                return option.Value.Length <= sizeof(ushort) && !isRepeated;
            case CoapOptionNumber.Block1:
                Block1 = ReadBlock(option);
                return CoapBlock.HasLength(option) && !isRepeated;
            case CoapOptionNumber.Block2:
                Block2 = ReadBlock(option);
                return CoapBlock.HasLength(option) && !isRepeated;
            case CoapOptionNumber.ContentFormat when option.Value.Length <= sizeof(ushort) && !isRepeated:
                ContentFormat = (int)option.Numeric;
                return true;
            case CoapOptionNumber.Size1 when option.Value.Length <= sizeof(uint) && !isRepeated:
                Size1 = (uint)option.Numeric;
                return true;
            case CoapOptionNumber.Observe when option.Value.Length <= MaxObserveBytes && !isRepeated:
                (Observes, EndsObserving) = (option.Numeric == 0, option.Numeric == 1);
                return true;
            case CoapOptionNumber.Echo when !isRepeated:
                Echo = option.Value;
                return true;
            default:
                return false;
        }
    }

    /// <summary>The reserved exponent 7 must lead to 4.00, whether the message is confirmable or not (RFC 7959 section 2.2).</summary>
    private CoapBlock? ReadBlock(CoapOption option)
    {
        bool isBlock = CoapBlock.TryRead(option, out CoapBlock block, _maxExponent);
        if (!isBlock && CoapBlock.HasLength(option) && Refused == default)
        {
            Refuse(CoapCode.BadRequest, $"{CoapOptionNumber.NameOf(option.Number)} has the reserved size exponent 7.");
        }

        return isBlock ? block : null;
    }

    private void AddSegment(ReadOnlySpan<byte> segment)
    {
        Span<char> room = _path[_pathChars..];
        bool separated = _segments++ > 0;
        _isOddPath |= segment.Contains((byte)'/') || room.Length < segment.Length + 1 || !Utf8.IsValid(segment);
        if (_isOddPath)
        {
            return;
        }

        if (separated)
        {
            room[0] = '/';
            _pathChars++;
        }

        _pathChars += Encoding.UTF8.GetChars(segment, room[(separated ? 1 : 0)..]);
    }
}
