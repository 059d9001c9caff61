using System.Reflection;

namespace Doorbell.Tests.Compared;

/// <summary>docs/compared.md says only what a test has run.</summary>
public sealed class TableTests
{
    [Fact]
    public void Each_row_has_a_test_and_each_test_of_a_job_a_row()
    {
        IEnumerable<string> tests = typeof(TableTests).Assembly.GetTypes()
            .Where(static type => type.Namespace == typeof(TableTests).Namespace && type.Name.EndsWith("Jobs", StringComparison.Ordinal))
            .SelectMany(static type => type.GetMethods())
            .Where(static method => method.GetCustomAttribute<FactAttribute>() is not null)
            .Select(static method => method.Name);
        Assert.Equal(Job.All.Select(static job => job.TestName).Order(StringComparer.Ordinal), tests.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_line_of_the_tables_is_a_row()
    {
        string[] lines = [.. File.ReadLines(Path.Combine(Repository.Root, "docs", "compared.md"))
            .Where(static line => line.StartsWith("| ", StringComparison.Ordinal) && !line.StartsWith("| job ", StringComparison.Ordinal))];
        Assert.NotEmpty(lines);
        Assert.Equal(lines.Length, Job.All.Count);
    }
}
