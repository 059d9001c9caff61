namespace Doorbell.Tests;

/// <summary>
/// Multicast CoAP (RFC 7252 section 8), in a network namespace of its own: libcoap's client and <c>doorbell ask</c> ask a group of
/// two of our servers.
/// </summary>
public sealed class CoapGroupTests
{
    /// <summary>The servers answer at some moment of 5 seconds.</summary>
    private const string Servers =
        """
        ip link set lo up multicast on
        ip address add 10.9.9.9/32 dev lo
        ip route add 224.0.0.0/4 dev lo
        "$0" serve echo coap://224.0.1.187 --option SO_REUSEADDR=1 >echo & a=$!
        "$0" serve capitalize coap://224.0.1.187 --option SO_REUSEADDR=1 >capitalize & b=$!
        for name in echo capitalize; do until grep -q serving $name; do read -rt 0.05 <> <(:); done; done

        """;

    private const string End =
        """

        code=$?
        kill $a $b
        wait
        exit $code
        """;

    [Fact]
    public void Libcoaps_client_gets_the_answers_of_both() =>
        Assert.Equal(["</capitalize>;ct=0", "</echo>"], Lines(In("coap-client-notls -N -B 7 -w coap://224.0.1.187/.well-known/core")));

    [Fact]
    public void Ask_prints_the_answers_of_both_with_their_senders() => Assert.Equal(
        ["FROM 10.9.9.9:5683: </capitalize>;ct=0", "FROM 10.9.9.9:5683: </echo>"],
        Lines(In("\"$0\" ask --method GET coap://224.0.1.187/.well-known/core")));

    [Fact]
    public void A_filter_is_answered_by_those_that_have_it() => Assert.Equal(
        ["</echo>"], Lines(In("\"$0\" ask --raw --method GET 'coap://224.0.1.187/.well-known/core?href=/e*'")));

    [Fact]
    public void A_resource_is_asked_of_those_that_have_it() =>
        Assert.Equal(["HELLO"], Lines(In("\"$0\" ask --raw coap://224.0.1.187/capitalize hello")));

    /// <summary>RFC 7252 section 8.2: a group answers nothing that is of no use.</summary>
    [Fact]
    public void An_error_is_not_answered()
    {
        Ended asked = In("\"$0\" ask --method GET coap://224.0.1.187/none", exitCode: 1);
        Assert.Equal("", asked.Output);
        Assert.Contains("no server of the group answered within 7 s", Assert.Single(Lines(asked.Error)), StringComparison.Ordinal);
    }

    private static string[] Lines(Ended ended) => Lines(ended.Output);

    private static string[] Lines(string text) =>
        [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)];

    private static Ended In(string command, int exitCode = 0)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("doorbell-group-");
        try
        {
            string script = $"cd '{folder.FullName}'\n{Servers}{command}{End}";
            Ended ended = Program.Run("unshare", ["--net", "--map-root-user", "bash", "-c", script, Doorbells.File("native")]);
            Assert.True(exitCode == ended.ExitCode, ended.Output + ended.Error);
            return ended;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
