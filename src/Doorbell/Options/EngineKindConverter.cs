using System.ComponentModel;
using System.Globalization;

namespace Doorbell.Options;

/// <summary>Reads engines as <see cref="Server.EngineName"/> has them, or by their names in <see cref="EngineKind"/>.</summary>
internal sealed class EngineKindConverter : TypeConverter
{
    private static readonly string[] _names = ["auto", "io_uring", "epoll", "portable"];

    public override bool CanConvertFrom(ITypeDescriptorContext? context, Type sourceType) => sourceType == typeof(string);

    /// <exception cref="FormatException">It is no engine; the message says what is wrong.</exception>
    public override object? ConvertFrom(ITypeDescriptorContext? context, CultureInfo? culture, object value) =>
        value is string text ? Parse(text) : base.ConvertFrom(context, culture, value);

    /// <exception cref="FormatException">It is no engine; the message says what is wrong.</exception>
    public static EngineKind Parse(string text) => text.ToUpperInvariant() switch
    {
        "AUTO" => EngineKind.Auto,
        "IO_URING" or "IOURING" => EngineKind.IoUring,
        "EPOLL" => EngineKind.Epoll,
        "PORTABLE" => EngineKind.Portable,
        _ => throw new FormatException($"\"{PrintableText.Escape(text)}\" is no engine: {NearName.Advice(text, _names)}"),
    };
}
