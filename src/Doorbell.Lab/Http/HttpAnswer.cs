using System.Buffers;
using System.Text;

namespace Doorbell.Lab.Http;

/// <summary>What is answered.</summary>
/// <param name="Status">As in 200.</param>
/// <param name="Json">The body; null for none.</param>
internal sealed record HttpAnswer(int Status, ReadOnlyMemory<byte>? Json)
{
    /// <summary>Writes it as HTTP/1.1 has it.</summary>
    public void Write(IBufferWriter<byte> output, bool staysOpen)
    {
        StringBuilder head = new();
        head.Append("HTTP/1.1 ").Append(Status).Append(' ').Append(Reason).Append("\r\nServer: doorbell\r\n");
        if (Json is { } body)
        {
            head.Append("Content-Type: application/json\r\nContent-Length: ").Append(body.Length).Append("\r\n");
        }
        else if (Status != 204)
        {
            head.Append("Content-Length: 0\r\n");
        }

        head.Append(staysOpen ? "\r\n" : "Connection: close\r\n\r\n");
        output.Write(Encoding.Latin1.GetBytes(head.ToString()));
        output.Write((Json ?? default).Span);
    }

    private string Reason => Status switch
    {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        411 => "Length Required",
        413 => "Content Too Large",
        431 => "Request Header Fields Too Large",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    };
}
