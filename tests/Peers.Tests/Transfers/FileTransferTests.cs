using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text;
using CsCheck;
using Doorbell.Files;

namespace Doorbell.Tests.Transfers;

/// <summary>Files over a stream that is cut, and senders who want more than a folder.</summary>
public sealed class FileTransferTests : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _here = Directory.CreateTempSubdirectory("doorbell-files-");

    private string Sent => Directory.CreateDirectory(Path.Combine(_here.FullName, "sent")).FullName;

    private string Into => Directory.CreateDirectory(Path.Combine(_here.FullName, "into")).FullName;

    /// <summary>
    /// Cut in either direction at each byte, and once more at another, and then whole: the files are the same, and nothing else is there.
    /// </summary>
    [Fact]
    public async Task Cut_at_every_byte_and_gone_on_with_the_files_are_the_same()
    {
        string[] files = [Save("a b%\n.txt", "hello, world"), Save("empty", ""), Save("ü", new string('x', 90))];
        (long up, long down) = await TransferAsync(files, long.MaxValue, long.MaxValue);
        Assert.True(up > 300 && down > 200, $"{up} {down}");
        for (long at = 0; at < up + down; at++)
        {
            Directory.Delete(Into, recursive: true);
            (long cutUp, long cutDown) = at < up ? (at, long.MaxValue) : (long.MaxValue, at - up);
            await Assert.ThrowsAsync<TransferException>(() => TransferAsync(files, cutUp, cutDown));
            await Assert.ThrowsAnyAsync<TransferException>(() => TransferAsync(files, Math.Min(cutUp, up) / 2, long.MaxValue));
            await TransferAsync(files, long.MaxValue, long.MaxValue);
            AssertSame(files);
        }
    }

    [Fact]
    public async Task What_is_there_is_not_sent_again()
    {
        string[] files = [Save("large", new string('x', 200_000))];
        await Assert.ThrowsAsync<TransferException>(() => TransferAsync(files, 150_000, long.MaxValue));
        List<FileProgress> told = [];
        (long up, _) = await TransferAsync(files, long.MaxValue, long.MaxValue, told.Add);
        Assert.InRange(up, 50_000, 52_000);
        Assert.InRange(told[^1].From, 140_000, 150_000);
        Assert.Equal((200_000, Hash(files[0])), (told[^1].Done, told[^1].Sha256));
        (up, _) = await TransferAsync(files, long.MaxValue, long.MaxValue);
        Assert.InRange(up, 50, 300);
        AssertSame(files);
    }

    [Fact]
    public async Task The_beginning_of_another_file_is_thrown_away()
    {
        string[] files = [Save("file", "the right one")];
        File.WriteAllText(Path.Combine(Into, ".file.doorbell-part"), "the wr");
        await TransferAsync(files, long.MaxValue, long.MaxValue);
        AssertSame(files);
        File.Delete(Path.Combine(Into, "file"));
        File.WriteAllText(Path.Combine(Into, ".file.doorbell-part"), "longer than the right one");
        await TransferAsync(files, long.MaxValue, long.MaxValue);
        AssertSame(files);
    }

    [Theory]
    [InlineData("other")]
    [InlineData("13 other bytes, longer")]
    [InlineData("the wrong one")]
    public async Task Another_file_of_the_name_is_refused_or_replaced_if_it_may_be(string there)
    {
        string[] files = [Save("file", "the right one")];
        string target = Path.Combine(Into, "file");
        File.WriteAllText(target, there);
        TransferException refused = await Assert.ThrowsAsync<TransferException>(() => TransferAsync(files, long.MaxValue, long.MaxValue));
        Assert.Contains("file exists already", refused.Message, StringComparison.Ordinal);
        Assert.Equal((there, false), (File.ReadAllText(target), refused.IsCut));
        await TransferAsync(files, long.MaxValue, long.MaxValue, overwrites: true);
        AssertSame(files);
    }

    /// <summary>The reason is longer than a line may be. Wherever it is cut, what is left of it can be read.</summary>
    [Theory]
    [InlineData(0), InlineData(1), InlineData(2), InlineData(3)]
    public async Task A_long_name_is_refused_with_as_much_of_it_as_a_line_takes(int before)
    {
        string name = new string('a', before) + new string('ü', 122);
        (TransferException sender, _) = await FailAsync([Save(name, "")]);
        Assert.StartsWith($"the peer refuses: \"{name[..70]}", sender.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_gone_when_its_turn_comes_is_told_and_the_ones_before_it_are_there()
    {
        string[] files = [Save("a", "1")];
        string gone = Path.Combine(Sent, "gone");
        (TransferException sender, TransferException receiver) = await FailAsync([.. files, gone]);
        string why = $"read {gone}: ENOENT (No such file or directory)";
        Assert.Equal((why, false), (sender.Message, sender.IsCut));
        Assert.Equal(($"the peer refuses: {why}", false), (receiver.Message, receiver.IsCut));
        AssertSame(files);
    }

    [Theory]
    [InlineData("doorbell-files 2\n", "does not speak this protocol")]
    [InlineData("GET / HTTP/1.1\n", "does not speak this protocol")]
    [InlineData("doorbell-files 1\nfile 1 ..\n", "is no name of a file")]
    [InlineData("doorbell-files 1\nfile 1 .\n", "is no name of a file")]
    [InlineData("doorbell-files 1\nfile 1 ../x\n", "is no name of a file")]
    [InlineData("doorbell-files 1\nfile 1 /etc/x\n", "is no name of a file")]
    [InlineData("doorbell-files 1\nfile 1 %2e%2e%2fx\n", "\"../x\" is no name of a file")]
    [InlineData("doorbell-files 1\nfile 1 a%00b\n", "is no name of a file")]
    [InlineData("doorbell-files 1\nfile 1 .a.doorbell-part\n", "is no name of a file")]
    [InlineData("doorbell-files 1\nfile 1 .a.doorbell-PART\n", "is no name of a file")]
    [InlineData("doorbell-files 1\nfile 1 \n", "is no name of a file")]
    [InlineData("doorbell-files 1\nfile 1 %1b[2J%2f\n", "\"\\x1b[2J/\" is no name of a file")]
    [InlineData("doorbell-files 1\nfile 1 a%4\n", "does not speak this protocol")]
    [InlineData("doorbell-files 1\nfile -1 a\n", "does not speak this protocol")]
    [InlineData("doorbell-files 1\nfile 99999999999999999999 a\n", "does not speak this protocol")]
    [InlineData("doorbell-files 1\nfile 3 a\nfrom 1\n", "does not speak this protocol")]
    [InlineData("doorbell-files 1\nfile 3 a\nfrom 0\nabcsha256 00\n", "the checksum is another one")]
    [InlineData("doorbell-files 1\nfile 3 a\nfrom 0\nabend\n", "does not speak this protocol")]
    public async Task A_sender_gets_no_further_than_the_protocol_and_the_folder(string says, string why)
    {
        TransferException refused = await Assert.ThrowsAsync<TransferException>(() =>
            new FileReceiver(Into, overwrites: true).ReceiveAsync(new Script(says), null, CancellationToken.None));
        Assert.Contains(why, refused.Message, StringComparison.Ordinal);
        Assert.False(refused.IsCut);
        Assert.Equal(["into"], Directory.GetFileSystemEntries(_here.FullName).Select(Path.GetFileName));
        Assert.DoesNotContain(Directory.GetFiles(Into), static file => !file.EndsWith("-part", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Of_two_senders_of_a_name_one_is_told_to_wait()
    {
        string part = Path.Combine(Into, ".a.doorbell-part");
        using FileStream other = new(part, FileMode.Create, FileAccess.ReadWrite, FileShare.None);
        TransferException refused = await Assert.ThrowsAsync<TransferException>(() =>
            new FileReceiver(Into, overwrites: true)
                .ReceiveAsync(new Script("doorbell-files 1\nfile 3 a\n"), null, CancellationToken.None));
        Assert.Equal("a: another sender is sending it: try again later", refused.Message);
    }

    [Fact]
    public void Whatever_a_peer_says_the_receiver_ends_with_a_reason() =>
        Gen.OneOfConst("doorbell-files 1\n", "file 3 a\n", "from 0\n", "abc", "end\n", "sha256 x\n", "\n", " ", "no x\n", "file")
        .List[0, 12].Sample(lines =>
        {
            string says = string.Concat(lines);
            try
            {
                new FileReceiver(Into, overwrites: true).ReceiveAsync(new Script(says), null, CancellationToken.None)
                    .GetAwaiter().GetResult();
                Assert.Contains("end\n", says, StringComparison.Ordinal);
            }
            catch (TransferException refused)
            {
                Assert.NotEmpty(refused.Message);
            }
        }, iter: 500, threads: 1);

    public void Dispose() => _here.Delete(recursive: true);

    private static string Hash(string file) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)));

    private string Save(string name, string text)
    {
        string path = Path.Combine(Sent, name);
        File.WriteAllText(path, text);
        return path;
    }

    private void AssertSame(string[] files)
    {
        Assert.Equal(
            files.Select(Path.GetFileName).Order(StringComparer.Ordinal),
            Directory.GetFiles(Into).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.All(files, file => Assert.Equal(Hash(file), Hash(Path.Combine(Into, Path.GetFileName(file)))));
    }

    /// <summary>Transfers over a connection that is cut behind so many bytes, either way.</summary>
    /// <returns>The bytes that went.</returns>
    private async Task<(long Up, long Down)> TransferAsync(
        string[] files, long cutUp, long cutDown, Action<FileProgress>? progress = null, bool overwrites = false)
    {
        Pipe up = new();
        Pipe down = new();
        CutStream sender = new(down.Reader.AsStream(), up.Writer.AsStream(), cutUp);
        CutStream receiver = new(up.Reader.AsStream(), down.Writer.AsStream(), cutDown);
        (Task sending, Task receiving) = Start(sender, receiver, files, progress, overwrites);
        await Task.WhenAll(sending, receiving);
        return (sender.Written, receiver.Written);
    }

    /// <summary>What either side says of a transfer that fails.</summary>
    private async Task<(TransferException Sender, TransferException Receiver)> FailAsync(string[] files)
    {
        Pipe up = new();
        Pipe down = new();
        (Task sending, Task receiving) = Start(
            new CutStream(down.Reader.AsStream(), up.Writer.AsStream(), long.MaxValue),
            new CutStream(up.Reader.AsStream(), down.Writer.AsStream(), long.MaxValue),
            files, progress: null, overwrites: false);
        return (await Assert.ThrowsAsync<TransferException>(() => sending), await Assert.ThrowsAsync<TransferException>(() => receiving));
    }

    private (Task Sending, Task Receiving) Start(
        CutStream sender, CutStream receiver, string[] files, Action<FileProgress>? progress, bool overwrites)
    {
        Task receiving = EndAsync(receiver, new FileReceiver(Into, overwrites).ReceiveAsync(receiver, null, CancellationToken.None));
        Task sending = EndAsync(sender, FileSender.SendAsync(sender, files, progress, CancellationToken.None));
        return (sending.WaitAsync(_patience), receiving.WaitAsync(_patience));

        static async Task EndAsync(CutStream own, Task transfer)
        {
            try
            {
                await transfer;
            }
            finally
            {
                await own.DisposeAsync();
            }
        }
    }

    /// <summary>One end of a connection, whose way out is cut behind so many bytes: the peer then reads an end.</summary>
    private sealed class CutStream(Stream input, Stream output, long cutAt) : MemoryStream
    {
        public long Written { get; private set; }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            await input.ReadAsync(buffer, cancellationToken);

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int count = (int)Math.Min(buffer.Length, cutAt - Written);
            await output.WriteAsync(buffer[..count], cancellationToken);
            Written += count;
            if (count < buffer.Length)
            {
                await output.DisposeAsync();
                throw new IOException("cut");
            }
        }

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public override async ValueTask DisposeAsync()
        {
            await output.DisposeAsync();
            await input.DisposeAsync();
            await base.DisposeAsync();
        }
    }

    /// <summary>A peer that says the same whatever it hears.</summary>
    private sealed class Script(string says) : MemoryStream(Encoding.Latin1.GetBytes(says))
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => default;
    }
}
