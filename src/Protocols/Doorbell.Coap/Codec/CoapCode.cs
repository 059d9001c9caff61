using System.Globalization;

namespace Doorbell.Coap;

/// <summary>A method or an answer's code: a class of 3 bits and a detail of 5, written as <c>2.05</c> (RFC 7252 section 12.1).</summary>
/// <param name="Value">As sent.</param>
public readonly record struct CoapCode(byte Value)
{
    /// <summary>0.00: a message with nothing in it.</summary>
    public static CoapCode Empty => default;

    /// <summary>0.01: to read; safe.</summary>
    public static CoapCode Get => new(0x01);

    /// <summary>0.02: to process; neither safe nor idempotent.</summary>
    public static CoapCode Post => new(0x02);

    /// <summary>0.03: to create or replace.</summary>
    public static CoapCode Put => new(0x03);

    /// <summary>0.04: to delete.</summary>
    public static CoapCode Delete => new(0x04);

    /// <summary>0.05: to read with a body that says what; safe (RFC 8132).</summary>
    public static CoapCode Fetch => new(0x05);

    /// <summary>2.04: done.</summary>
    public static CoapCode Changed => new(0x44);

    /// <summary>2.05: here it is.</summary>
    public static CoapCode Content => new(0x45);

    /// <summary>2.31: send the next block (RFC 7959 section 2.9.1).</summary>
    public static CoapCode Continue => new(0x5f);

    /// <summary>4.00: the request makes no sense.</summary>
    public static CoapCode BadRequest => new(0x80);

    /// <summary>4.01: prove who, or where, you are; with Echo, send that again (RFC 9175 section 2.3).</summary>
    public static CoapCode Unauthorized => new(0x81);

    /// <summary>4.02: an option that must be understood isn't.</summary>
    public static CoapCode BadOption => new(0x82);

    /// <summary>4.04: there is no such resource.</summary>
    public static CoapCode NotFound => new(0x84);

    /// <summary>4.05: the resource doesn't have this method.</summary>
    public static CoapCode MethodNotAllowed => new(0x85);

    /// <summary>4.06: it can't be had in the format asked for.</summary>
    public static CoapCode NotAcceptable => new(0x86);

    /// <summary>4.08: blocks of the body are missing (RFC 7959 section 2.9.2).</summary>
    public static CoapCode RequestEntityIncomplete => new(0x88);

    /// <summary>4.13: the body is too large.</summary>
    public static CoapCode RequestEntityTooLarge => new(0x8d);

    /// <summary>4.15: a body of this format is not taken.</summary>
    public static CoapCode UnsupportedContentFormat => new(0x8f);

    /// <summary>5.00: the server failed.</summary>
    public static CoapCode InternalServerError => new(0xa0);

    /// <summary>5.03: not now; Max-Age says when to ask again.</summary>
    public static CoapCode ServiceUnavailable => new(0xa3);

    /// <summary>5.05: it is no proxy.</summary>
    public static CoapCode ProxyingNotSupported => new(0xa5);

    /// <summary>The class: 0 for requests, 2 success, 4 the client's error, 5 the server's.</summary>
    public int Class => Value >> 5;

    /// <summary>The detail.</summary>
    public int Detail => Value & 0x1f;

    /// <summary>Whether it is a method.</summary>
    public bool IsRequest => Class == 0 && Value != 0;

    /// <summary>Whether it is an answer's.</summary>
    public bool IsResponse => Class is 2 or 4 or 5;

    /// <summary>Whether the method has no effect, so that a duplicate may be answered anew (RFC 7252 sections 4.5 and 5.1).</summary>
    public bool IsSafe => this == Get || this == Fetch;

    /// <summary>As <c>2.05</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Class}.{Detail:D2}");
}
