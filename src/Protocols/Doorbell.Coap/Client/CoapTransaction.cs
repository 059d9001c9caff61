using System.Buffers;
using System.Text;

namespace Doorbell.Coap;

/// <summary>One request on its way: the message now under way, which may be one of several that move its bodies, and its times.</summary>
internal sealed class CoapTransaction(long id, CoapClientRequest request, int blockExponent, TimeSpan asked)
{
    private const int MaxETagBytes = 8;
    private readonly byte[] _eTag = new byte[MaxETagBytes];
    private ArrayBufferWriter<byte>? _answerBody;
    private byte[] _datagram = [];
    private int _length;
    private int _eTagLength;

    public long Id { get; } = id;

    public CoapClientRequest Request { get; } = request;

    public TimeSpan Asked { get; } = asked;

    public CoapToken Token { get; private set; }

    public ushort MessageId { get; private set; }

    public ReadOnlySpan<byte> Datagram => _datagram.AsSpan(0, _length);

    /// <summary>Datagrams of all its messages.</summary>
    public int AllSends { get; set; }

    /// <summary>Datagrams of the message under way; 0 while it waits for a message ID.</summary>
    public int Sends { get; set; }

    /// <summary>It waits to be taken and sent.</summary>
    public bool IsQueued { get; set; }

    /// <summary>The message under way is acknowledged; its answer will come by itself.</summary>
    public bool IsAcknowledged { get; set; }

    /// <summary>It has its answer, or has failed.</summary>
    public bool IsOver { get; set; }

    /// <summary>Its last message is answered, and its next waits for its turn.</summary>
    public bool GoesOn { get; set; }

    /// <summary>The message under way is sent for the second time since its sender was asked to prove its address.</summary>
    public bool HasEchoed { get; set; }

    public TimeSpan FirstSent { get; set; }

    public TimeSpan Interval { get; set; }

    /// <summary>When to send again.</summary>
    public TimeSpan NextSend { get; set; }

    /// <summary>When to give up.</summary>
    public TimeSpan GiveUp { get; set; }

    /// <summary>Of blocks sent: 0 to 6 for 16 to 1,024 bytes.</summary>
    public int BlockExponent { get; private set; } = blockExponent;

    private int BlockBytes => CoapBlock.MinSize << BlockExponent;

    /// <summary>Where in the request's body the message under way begins.</summary>
    public int BodyOffset { get; private set; }

    /// <summary>Of blocks received; the server's choice once it has answered.</summary>
    public int AnswerExponent { get; private set; } = blockExponent;

    public int AnswerLength => _answerBody?.WrittenCount ?? 0;

    public bool IsInBlocks => Request.Body.Length > BlockBytes || BodyOffset > 0;

    public bool IsLastBlock => BodyOffset + BlockBytes >= Request.Body.Length;

    public CoapBlock Block => new(BodyOffset >> (BlockExponent + 4), !IsLastBlock, BlockExponent);

    public byte[] TakeAnswer(ReadOnlySpan<byte> last)
    {
        if (_answerBody is null)
        {
            return last.ToArray();
        }

        _answerBody.Write(last);
        return _answerBody.WrittenSpan.ToArray();
    }

    /// <summary>The server has taken the block under way and wants the next, perhaps smaller.</summary>
    public void NextBlock(int exponent)
    {
        BodyOffset += BlockBytes;
        BlockExponent = Math.Min(BlockExponent, exponent);
    }

    /// <summary>The server wants the body anew in smaller blocks.</summary>
    public void Restart(int exponent)
    {
        BodyOffset = 0;
        BlockExponent = exponent;
    }

    /// <summary>Keeps a block of the answer; false if it is not the one that was to come, or another version's.</summary>
    public bool TryKeepBlock(in CoapMessage message, CoapBlock block)
    {
        ReadOnlySpan<byte> eTag = message.Options.TryGet(CoapOptionNumber.ETag, out CoapOption option) ? option.Value : default;
        if (block.Offset != AnswerLength || eTag.Length > MaxETagBytes || (block.More && message.Payload.Length != block.Size))
        {
            return false;
        }

        if (block.Offset == 0)
        {
            eTag.CopyTo(_eTag);
            _eTagLength = eTag.Length;
        }
        else if (!eTag.SequenceEqual(_eTag.AsSpan(0, _eTagLength)))
        {
            return false;
        }

        if (block.More)
        {
            (_answerBody ??= new ArrayBufferWriter<byte>()).Write(message.Payload);
            AnswerExponent = block.SizeExponent;
        }

        return true;
    }

    /// <summary>Makes the next message of it.</summary>
    /// <param name="messageId">Its ID.</param>
    /// <param name="token">Its token.</param>
    /// <param name="maxBytes">Of the datagram.</param>
    /// <param name="echo">What the server is to be sent back, or nothing.</param>
    public void Write(ushort messageId, CoapToken token, int maxBytes, ReadOnlySpan<byte> echo)
    {
        MessageId = messageId;
        Token = token;
        IsAcknowledged = false;
        if (_datagram.Length < maxBytes)
        {
            _datagram = new byte[maxBytes];
        }

        CoapType type = Request.IsConfirmable ? CoapType.Confirmable : CoapType.NonConfirmable;
        CoapWriter writer = new(_datagram, type, Request.Method, messageId, token);
        WriteOptions(ref writer, echo);
        if (AnswerLength == 0)
        {
            int count = Math.Min(BlockBytes, Request.Body.Length - BodyOffset);
            writer.Payload(Request.Body.Span.Slice(BodyOffset, count));
        }

        _length = writer.Length;
    }

    private void WriteOptions(ref CoapWriter writer, ReadOnlySpan<byte> echo)
    {
        WriteResource(ref writer);
        if (AnswerLength > 0)
        {
            writer.Option(CoapOptionNumber.Block2, new CoapBlock(AnswerLength >> (AnswerExponent + 4), false, AnswerExponent).Value);
        }
        else if (AnswerExponent < CoapBlock.MaxSizeExponent)
        {
            writer.Option(CoapOptionNumber.Block2, new CoapBlock(0, false, AnswerExponent).Value);
        }

        if (IsInBlocks && AnswerLength == 0)
        {
            writer.Option(CoapOptionNumber.Block1, Block.Value);
            if (BodyOffset == 0)
            {
                writer.Option(CoapOptionNumber.Size1, (uint)Request.Body.Length);
            }
        }

        if (!echo.IsEmpty)
        {
            writer.Option(CoapOptionNumber.Echo, echo);
        }

        if (IsInBlocks)
        {
            // One of its own for each body: blocks of two can't be mixed up (RFC 9175 section 3.4).
            writer.Option(CoapOptionNumber.RequestTag, (uint)Id);
        }
    }

    private void WriteResource(ref CoapWriter writer)
    {
        if (Request.Host is { Length: > 0 } host)
        {
            writer.Option(CoapOptionNumber.UriHost, Encoding.UTF8.GetBytes(host));
        }

        Span<byte> text = stackalloc byte[CoapResourceName.MaxSegmentBytes];
        ReadOnlySpan<char> path = CoapResourceName.PathOf(Request);
        foreach (Range segment in path.IsEmpty ? default : path.Split('/'))
        {
            writer.Option(CoapOptionNumber.UriPath, text[..Encoding.UTF8.GetBytes(path[segment], text)]);
        }

        if (Request.ContentFormat is { } format)
        {
            writer.Option(CoapOptionNumber.ContentFormat, (uint)format);
        }

        foreach (string argument in Request.Query)
        {
            writer.Option(CoapOptionNumber.UriQuery, text[..Encoding.UTF8.GetBytes(argument, text)]);
        }

        if (Request.Accept is { } accept)
        {
            writer.Option(CoapOptionNumber.Accept, (uint)accept);
        }
    }
}
