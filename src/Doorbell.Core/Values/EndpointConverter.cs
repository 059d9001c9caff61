using System.ComponentModel;
using System.Globalization;

namespace Doorbell;

/// <summary>Makes endpoints of strings for whoever asks by reflection, such as a configuration's binder.</summary>
internal sealed class EndpointConverter : TypeConverter
{
    public override bool CanConvertFrom(ITypeDescriptorContext? context, Type sourceType) => sourceType == typeof(string);

    /// <exception cref="FormatException">It is no endpoint; the message says what is wrong.</exception>
    public override object? ConvertFrom(ITypeDescriptorContext? context, CultureInfo? culture, object value) =>
        value is string text ? Endpoint.Parse(text) : base.ConvertFrom(context, culture, value);
}
