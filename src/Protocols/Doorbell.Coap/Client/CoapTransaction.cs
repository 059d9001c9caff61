using System.Buffers;
using System.Text;
using Doorbell.Coap.Codec;

namespace Doorbell.Coap.Client;

/// <summary>One request on its way: the message now under way, which may be one of several that move its bodies, and its times.</summary>
internal sealed class CoapTransaction(long id, CoapClientRequest request, int blockExponent, TimeSpan begun)
{
    private const int MaxETagBytes = 8;
    private readonly byte[] _eTag = new byte[MaxETagBytes];
    private ArrayBufferWriter<byte>? _responseBody;
    private byte[] _datagram = [];
    private int _length;
    private int _eTagLength;

    public long Id { get; } = id;

    public CoapClientRequest Request { get; } = request;

    public TimeSpan Begun { get; } = begun;

    public CoapToken Token { get; private set; }

    public ushort MessageId { get; private set; }

    public ReadOnlySpan<byte> Datagram => _datagram.AsSpan(0, _length);

    /// <summary>Datagrams of all its messages.</summary>
    public int AllSends { get; set; }

    /// <summary>Datagrams of the message under way; 0 while it waits for a message ID.</summary>
    public int Sends { get; set; }

    /// <summary>Whether the message under way waits to be taken and sent.</summary>
    public bool IsQueued { get; set; }

    /// <summary>Whether the message under way is acknowledged; its response will come by itself.</summary>
    public bool IsAcknowledged { get; set; }

    /// <summary>Of a request that observes, what is known of the notifications; otherwise null.</summary>
    public CoapObserving? Observing { get; } = request.Observes ? new CoapObserving() : null;

    /// <summary>Of a request that observes, what fetches the rest of a state that has several blocks; null for none.</summary>
    public CoapTransaction? Fetch { get; set; }

    /// <summary>The request that observes, of one that fetches the rest of its notification; otherwise null.</summary>
    public CoapTransaction? FetchesFor { get; init; }

    /// <summary>Of a request that ends an observation, the observation's token; otherwise null.</summary>
    public CoapToken? EndsObservation { get; init; }

    /// <summary>Whether nobody waits for its end.</summary>
    public bool IsSilent => FetchesFor is not null || EndsObservation is not null;

    /// <summary>Whether the server tells us the resource's states.</summary>
    public bool IsRegistered => Observing is { IsRegistered: true };

    /// <summary>The token that the next message has to have; null for a fresh one.</summary>
    public CoapToken? KeptToken => EndsObservation ?? (Observing is not null && AllSends > 0 ? Token : null);

    private uint? ObserveOption => EndsObservation is not null ? 1 : Observing is not null && ResponseLength == 0 ? 0 : null;

    /// <summary>Whether the request has its response, or has failed.</summary>
    public bool IsOver { get; set; }

    /// <summary>Whether the last message has its response, and the next message waits until it may be sent.</summary>
    public bool IsContinued { get; set; }

    /// <summary>Whether the message under way is the one that answers a challenge: it has the Echo value.</summary>
    public bool HasEchoed { get; set; }

    public TimeSpan FirstSent { get; set; }

    public TimeSpan Interval { get; set; }

    /// <summary>When to send again.</summary>
    public TimeSpan NextSend { get; set; }

    /// <summary>When to give up.</summary>
    public TimeSpan GiveUp { get; set; }

    /// <summary>The exponent of blocks sent: 0 to 6 for 16 to 1,024 bytes.</summary>
    public int BlockExponent { get; private set; } = blockExponent;

    private int BlockBytes => CoapBlock.MinSize << BlockExponent;

    /// <summary>
    /// Most bytes of the request's body that go without blocks over a stream, where a message may be larger than a block. 0 over datagrams.
    /// </summary>
    public int WholeBytes { get; private set; }

    /// <summary>The largest exponent of a block of the response.</summary>
    public int MaxExponent { get; init; } = CoapBlock.MaxSizeExponent;

    /// <summary>Where in the request's body the message under way begins.</summary>
    public int BodyOffset { get; private set; }

    /// <summary>The exponent of blocks received; once the server has answered, its choice.</summary>
    public int ResponseExponent { get; private set; } = blockExponent;

    public int ResponseLength => _responseBody?.WrittenCount ?? 0;

    public bool IsInBlocks => Request.Body.Length > Math.Max(BlockBytes, WholeBytes) || BodyOffset > 0;

    public bool IsLastBlock => !IsInBlocks || BodyOffset + BlockBytes >= Request.Body.Length;

    public CoapBlock Block => new(BodyOffset >> (BlockExponent + 4), !IsLastBlock, BlockExponent);

    /// <summary>A message to the peer may have so many bytes of body; before the first one is written.</summary>
    public void Fit(int bytes)
    {
        WholeBytes = bytes;
        while (BlockExponent > 0 && BlockBytes > bytes)
        {
            BlockExponent--;
        }
    }

    public byte[] TakeResponse(ReadOnlySpan<byte> last)
    {
        if (_responseBody is null)
        {
            return last.ToArray();
        }

        _responseBody.Write(last);
        return _responseBody.WrittenSpan.ToArray();
    }

    /// <summary>
    /// The request goes on with another message, which waits until it may be sent: another request may be under way (NSTART).
    /// </summary>
    public void Continue()
    {
        IsContinued = true;
        HasEchoed = false;
        Sends = 0;
        NextSend = GiveUp = TimeSpan.MaxValue;
    }

    /// <summary>The server tells us the states from here on. Register again at that time, if nothing comes until then.</summary>
    public void Wait(TimeSpan registerAgainAt)
    {
        IsAcknowledged = true;
        Sends = 0;
        NextSend = registerAgainAt;
        GiveUp = TimeSpan.MaxValue;
    }

    /// <summary>
    /// Moves on to the next block of the request's body, if the server has taken the one under way, or begins the body anew in smaller
    /// blocks, if the server wants that (RFC 7959 section 2.9). False if the response asks for neither.
    /// </summary>
    public bool TryContinueBody(in CoapMessage message)
    {
        if (!message.Options.TryGet(CoapOptionNumber.Block1, out CoapOption option) || !CoapBlock.TryRead(option, out CoapBlock block))
        {
            return false;
        }

        if (message.Code == CoapCode.RequestEntityTooLarge
            && BodyOffset == 0
            && (block.SizeExponent < BlockExponent || !IsInBlocks)
            && block.Size < Request.Body.Length)
        {
            BlockExponent = Math.Min(BlockExponent, block.SizeExponent);
            WholeBytes = 0;
            return true;
        }

        // A server that processes each block by itself answers 2.04 and the like in place of 2.31. The number is that of the block sent,
        // whatever size the server wants from here on (RFC 7959 section 2.3).
        if (message.Code.Class != 2 || IsLastBlock || block.Number != Block.Number)
        {
            return false;
        }

        BodyOffset += BlockBytes;
        BlockExponent = Math.Min(BlockExponent, block.SizeExponent);
        return true;
    }

    /// <summary>
    /// Whether a success can be that of the whole body. Of a block before the last one it can't be. The number that a response tells is the
    /// one of the block that it answers (RFC 7959 section 2.3).
    /// </summary>
    public bool HasWholeBody(in CoapMessage message)
    {
        if (!IsInBlocks || ResponseLength > 0)
        {
            return true;
        }

        bool isTold = message.Options.TryGet(CoapOptionNumber.Block1, out CoapOption option);
        return IsLastBlock && (!isTold || (CoapBlock.TryRead(option, out CoapBlock block) && block.Number == Block.Number));
    }

    /// <summary>Keeps a block of the response; false if it is not the next block, or belongs to another version of the body.</summary>
    public bool TryKeepBlock(in CoapMessage message, CoapBlock block)
    {
        ReadOnlySpan<byte> eTag = message.Options.TryGet(CoapOptionNumber.ETag, out CoapOption option) ? option.Value : default;
        if (block.Offset != ResponseLength || eTag.Length > MaxETagBytes || (block.More && !block.Holds(message.Payload.Length)))
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
            (_responseBody ??= new ArrayBufferWriter<byte>()).Write(message.Payload);
            ResponseExponent = block.SizeExponent;
        }

        return true;
    }

    /// <summary>Makes the next message of it.</summary>
    /// <param name="messageId">Its ID.</param>
    /// <param name="token">Its token.</param>
    /// <param name="maxBytes">Of the datagram.</param>
    /// <param name="echo">The Echo value that the server is to get back, or nothing.</param>
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
        if (ResponseLength == 0)
        {
            writer.Payload(Payload);
        }

        _length = writer.Length;
    }

    /// <summary>Makes the next message of it, to be sent over a stream.</summary>
    /// <param name="token">Its token.</param>
    /// <param name="options">Room for its options, which <see cref="CoapResourceName.OptionBytes"/> bounds.</param>
    /// <param name="output">Where it is written.</param>
    /// <param name="echo">The Echo value that the server is to get back, or nothing.</param>
    public void Write(CoapToken token, Span<byte> options, IBufferWriter<byte> output, ReadOnlySpan<byte> echo)
    {
        Token = token;
        CoapWriter writer = new(options);
        WriteOptions(ref writer, echo);
        ReadOnlySpan<byte> payload = ResponseLength == 0 ? Payload : default;
        CoapFrame.Write(output, Request.Method, token, options[..writer.Length], payload);
    }

    private ReadOnlySpan<byte> Payload
    {
        get
        {
            int left = Request.Body.Length - BodyOffset;
            return Request.Body.Span.Slice(BodyOffset, IsInBlocks ? Math.Min(BlockBytes, left) : left);
        }
    }

    private void WriteOptions(ref CoapWriter writer, ReadOnlySpan<byte> echo)
    {
        WriteResource(ref writer);
        if (ResponseLength > 0)
        {
            writer.Option(CoapOptionNumber.Block2, CoapBlock.At(ResponseLength, false, ResponseExponent).Value);
        }
        else if (ResponseExponent < CoapBlock.MaxSizeExponent)
        {
            writer.Option(CoapOptionNumber.Block2, new CoapBlock(0, false, ResponseExponent).Value);
        }

        if (IsInBlocks && ResponseLength == 0)
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
            // A tag of its own for each body, so that the blocks of two can't be mixed up (RFC 9175 section 3.4).
            writer.Option(CoapOptionNumber.RequestTag, (uint)Id);
        }
    }

    private void WriteResource(ref CoapWriter writer)
    {
        if (Request.Host is { Length: > 0 } host)
        {
            writer.Option(CoapOptionNumber.UriHost, Encoding.UTF8.GetBytes(host));
        }

        if (ObserveOption is { } observe)
        {
            writer.Option(CoapOptionNumber.Observe, observe);
        }

        Span<byte> text = stackalloc byte[CoapResourceName.MaxSegmentBytes];
        foreach (string segment in Request.Path.Segments)
        {
            writer.Option(CoapOptionNumber.UriPath, text[..Encoding.UTF8.GetBytes(segment, text)]);
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
