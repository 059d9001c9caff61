using System.Reflection;
using Doorbell.Sessions;

namespace Doorbell.Tests;

/// <summary>Every limit refuses a value that makes no sense, and says by its name which one it was.</summary>
public sealed class LimitValidationTests
{
    public static TheoryData<Type, string> Limits => [.. new[] { typeof(StreamLimits), typeof(DatagramLimits), typeof(RetrySchedule) }
        .SelectMany(static type => type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
        .Where(static limit => limit.CanWrite && Negative(limit) is not null)
        .Select(static limit => (limit.DeclaringType!, limit.Name))];

    [Theory]
    [MemberData(nameof(Limits))]
    public void A_negative_value_is_refused_by_name(Type type, string name)
    {
        object limits = Activator.CreateInstance(type)!;
        PropertyInfo limit = type.GetProperty(name)!;
        limit.SetValue(limits, Negative(limit));
        MethodInfo validate = type.GetMethod("Validate")!;
        TargetInvocationException refused = Assert.Throws<TargetInvocationException>(() => validate.Invoke(limits, null));
        ArgumentOutOfRangeException reason = Assert.IsAssignableFrom<ArgumentOutOfRangeException>(refused.InnerException);
        Assert.Contains(name, reason.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_defaults_are_valid()
    {
        StreamLimits.Default.Validate();
        DatagramLimits.Default.Validate();
        new RetrySchedule().Validate();
    }

    private static object? Negative(PropertyInfo limit)
    {
        Type type = Nullable.GetUnderlyingType(limit.PropertyType) ?? limit.PropertyType;
        return type == typeof(TimeSpan) ? TimeSpan.FromSeconds(-5)
            : type == typeof(int) || type == typeof(long) || type == typeof(double) ? Convert.ChangeType(-1, type, null)
            : null;
    }
}
