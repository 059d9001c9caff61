using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Doorbell.Native;

namespace Doorbell.Cli.Printing;

/// <summary>
/// Writes what goes both ways over a connection into a file, a JSON object a line: <c>docs/recording.md</c> says which. Any thread may call
/// it. What has happened is in the file at once, since a signal may end the command at any moment.
/// </summary>
internal sealed class Recording : IDisposable
{
    private readonly Lock _lock = new();
    private readonly string _path;
    private readonly FileStream _file;
    private readonly long _began = Stopwatch.GetTimestamp();

    private Recording(string path, FileStream file)
    {
        _path = path;
        _file = file;
    }

    /// <summary>Begins a file; one that is there is replaced.</summary>
    /// <exception cref="IOException">It can't be written; the message is a whole line.</exception>
    public static Recording Create(string path, Endpoint endpoint)
    {
        try
        {
            Recording recording = new(path, new FileStream(SystemFile.Create(path), FileAccess.Write, bufferSize: 0));
            recording.Write(writer =>
            {
                writer.WriteNumber("recording", 1);
                writer.WriteString("endpoint", endpoint.ToString());
                writer.WriteString("began", DateTimeOffset.UtcNow);
            });
            return recording;
        }
        catch (Exception failure) when (FileFailure.Is(failure) || failure is ArgumentException)
        {
            throw Failed(path, failure);
        }
    }

    public void Sending(ReadOnlySpan<byte> bytes) => WriteBytes("sent", bytes);

    public void Received(ReadOnlySpan<byte> bytes) => WriteBytes("received", bytes);

    /// <summary>Our side has ended.</summary>
    public void SendingEnds() => WriteEnd("sent");

    /// <summary>The peer's side has ended.</summary>
    public void ReceivedEnd() => WriteEnd("received");

    public void Dispose() => _file.Dispose();

    private static RecordingException Failed(string path, Exception failure) => failure as RecordingException
        ?? new RecordingException($"write {PrintableText.Escape(path)}: {FileFailure.Why(failure)}; give a file that can be written");

    private void WriteBytes(string way, ReadOnlySpan<byte> bytes)
    {
        byte[] copy = bytes.ToArray();
        Write(writer =>
        {
            WriteTime(writer);
            if (Utf8.IsValid(copy))
            {
                writer.WriteString(way, copy);
            }
            else
            {
                writer.WriteBase64String($"{way}Base64", copy);
            }
        });
    }

    private void WriteEnd(string way) => Write(writer =>
    {
        WriteTime(writer);
        writer.WriteString("end", way);
    });

    private void WriteTime(Utf8JsonWriter writer) => writer.WriteNumber("at", Math.Round(Stopwatch.GetElapsedTime(_began).TotalSeconds, 6));

    private void Write(Action<Utf8JsonWriter> write)
    {
        try
        {
            lock (_lock)
            {
                _file.Write(Encoding.UTF8.GetBytes(JsonLine.Of(write) + "\n"));
            }
        }
        catch (Exception failure) when (FileFailure.Is(failure) || failure is ObjectDisposedException)
        {
            throw Failed(_path, failure);
        }
    }
}
