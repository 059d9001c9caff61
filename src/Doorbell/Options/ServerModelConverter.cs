using System.ComponentModel;
using System.Globalization;

namespace Doorbell.Options;

/// <summary>Makes server models of strings for whoever asks by reflection, such as a configuration's binder.</summary>
internal sealed class ServerModelConverter : TypeConverter
{
    public override bool CanConvertFrom(ITypeDescriptorContext? context, Type sourceType) => sourceType == typeof(string);

    /// <exception cref="FormatException">It is no model; the message says what is wrong.</exception>
    public override object? ConvertFrom(ITypeDescriptorContext? context, CultureInfo? culture, object value) =>
        value is string text ? ServerModel.Parse(text) : base.ConvertFrom(context, culture, value);
}
