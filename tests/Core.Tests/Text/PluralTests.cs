namespace Doorbell.Tests;

public sealed class PluralTests
{
    [Theory]
    [InlineData(0, "connection", "0 connections")]
    [InlineData(1, "connection", "1 connection")]
    [InlineData(2, "connection", "2 connections")]
    [InlineData(1, "process", "1 process")]
    [InlineData(12_345, "process", "12345 processes")]
    public void One_is_not_many(long count, string noun, string expected) => Assert.Equal(expected, Plural.Of(count, noun));
}
