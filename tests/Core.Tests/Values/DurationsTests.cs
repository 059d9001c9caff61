namespace Doorbell.Tests;

/// <summary>Lengths of time as people write them.</summary>
public sealed class DurationsTests
{
    [Theory]
    [InlineData("250ms", 250)]
    [InlineData("30s", 30_000)]
    [InlineData("0s", 0)]
    [InlineData("1.5m", 90_000)]
    [InlineData("2 h", 7_200_000)]
    [InlineData("1d", 86_400_000)]
    [InlineData("00:00:30", 30_000)]
    [InlineData("1.00:00:00", 86_400_000)]
    [InlineData("infinite", -1)]
    public void A_number_with_a_unit_or_NETs_form_is_read(string text, double milliseconds) =>
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), Durations.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("30")]
    [InlineData("-5s")]
    [InlineData("-00:00:05")]
    [InlineData("s")]
    [InlineData("5 parsecs")]
    [InlineData("1e9d")]
    [InlineData("99999999999999d")]
    [InlineData("5\ns")]
    public void Anything_else_is_refused_in_one_line(string text)
    {
        Assert.False(Durations.TryParse(text, out _));
        FormatException wrong = Assert.Throws<FormatException>(() => Durations.Parse(text));
        Assert.DoesNotContain('\n', wrong.Message);
        Assert.Contains("30s", wrong.Message, StringComparison.Ordinal);
    }
}
