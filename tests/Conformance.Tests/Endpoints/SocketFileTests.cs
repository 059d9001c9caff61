using System.Diagnostics;

namespace Doorbell.Tests;

/// <summary>The mode, owner and group of a unix socket's file.</summary>
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class SocketFileTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("doorbell-file-");

    private Endpoint At(string transport) => Endpoint.Parse($"{transport}://{_folder.FullName}/door");

    [Theory]
    [InlineData("unix", "0666")]
    [InlineData("unix", "0600")]
    [InlineData("unix", "660")]
    [InlineData("unix+dgram", "0622")]
    public async Task The_file_has_the_mode_that_is_asked_for_whatever_the_umask(string transport, string mode)
    {
        Endpoint endpoint = At(transport);
        SocketFileOptions file = new() { Mode = SocketFileOptions.ParseMode(mode) };
        await using (Server server = await StartAsync(endpoint, file))
        {
            Assert.Equal(Convert.ToInt32(mode, 8), (int)File.GetUnixFileMode(endpoint.Path!));
        }

        Assert.False(File.Exists(endpoint.Path));
    }

    [Fact]
    public async Task A_group_is_a_number_or_a_name()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return;
        }

        Endpoint endpoint = At("unix");
        await using (Server named = await StartAsync(endpoint, new SocketFileOptions { Group = "daemon", Owner = "daemon" }))
        {
            Assert.Equal("daemon:daemon", Stat("%U:%G"));
        }

        await using Server numbered = await StartAsync(endpoint, new SocketFileOptions { Group = "12345" });
        Assert.Equal("0:12345", Stat("%u:%g"));
    }

    [Fact]
    public async Task An_account_that_is_not_there_is_told_and_leaves_no_file()
    {
        Endpoint endpoint = At("unix");
        ArgumentException wrong = await Assert.ThrowsAsync<ArgumentException>(
            () => StartAsync(endpoint, new SocketFileOptions { Owner = "no-such-user" }));
        Assert.Contains("there is no user \"no-such-user\" on this machine", wrong.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(endpoint.Path));
        wrong = await Assert.ThrowsAsync<ArgumentException>(
            () => StartAsync(endpoint, new SocketFileOptions { Group = "no-such-group" }));
        Assert.Contains("there is no group \"no-such-group\"", wrong.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tcp://127.0.0.1:0")]
    [InlineData("unix:@doorbell-no-file")]
    public async Task What_has_no_file_has_no_mode(string endpoint)
    {
        ArgumentException wrong = await Assert.ThrowsAsync<ArgumentException>(
            () => StartAsync(endpoint, new SocketFileOptions { Mode = UnixFileMode.UserRead }));
        Assert.Contains("it is for the file of a unix socket", wrong.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0960")]
    [InlineData("66")]
    [InlineData("1777")]
    [InlineData("rw-rw----")]
    [InlineData("")]
    public void A_mode_is_three_octal_digits(string text)
    {
        FormatException wrong = Assert.Throws<FormatException>(() => SocketFileOptions.ParseMode(text));
        Assert.Contains("as in 0660", wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_configuration_names_it()
    {
        Endpoint endpoint = At("unix");
        ServerOptions options = ServerOptions.Parse(
            new Dictionary<string, string?>
            {
                ["Doors:0:Endpoint"] = endpoint.ToString(),
                ["Doors:0:Service"] = "echo",
                ["Doors:0:SocketFile:Mode"] = "0640",
                ["Doors:0:SocketFile:Group"] = Stat("%g", _folder.FullName),
            },
            ClassicServices.Echo);
        await using Server server = await Server.StartAsync(options, default);
        Assert.Equal(Convert.ToInt32("640", 8), (int)File.GetUnixFileMode(endpoint.Path!));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static Task<Server> StartAsync(Endpoint endpoint, SocketFileOptions file) => Server.StartAsync(
        new ServerOptions { Doors = [new DoorOptions { Endpoint = endpoint, Service = ClassicServices.Echo, SocketFile = file }] },
        default);

    private string Stat(string format, string? path = null)
    {
        ProcessStartInfo start = new("stat", ["-c", format, path ?? $"{_folder.FullName}/door"]) { RedirectStandardOutput = true };
        using Process stat = Process.Start(start)!;
        return stat.StandardOutput.ReadToEnd().Trim();
    }
}
