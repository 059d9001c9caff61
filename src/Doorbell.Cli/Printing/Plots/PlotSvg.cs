using System.Text;
using System.Text.RegularExpressions;
using ScottPlot;
using SkiaSharp;

namespace Doorbell.Cli.Printing.Plots;

/// <summary>A picture as SVG.</summary>
internal static partial class PlotSvg
{
    /// <summary>The first of some common fonts without serifs that this machine has.</summary>
    public static string Font { get; } = new[] { "DejaVu Sans", "Liberation Sans", "Noto Sans", "Arial", "Helvetica" }
        .FirstOrDefault(static name => SKFontManager.Default.FontFamilies.Contains(name)) ?? Fonts.Sans;

    public static byte[] Of(Multiplot picture, int width, int height)
    {
        using MemoryStream svg = new();
        using (SKCanvas canvas = SKSvgCanvas.Create(new SKRect(0, 0, width, height), svg))
        {
            picture.Render(canvas, new PixelRect(0, width, height, 0));
        }

        string text = Encoding.UTF8.GetString(svg.ToArray());

        // Without a viewBox a page that shows the picture smaller would crop it.
        string size = $"width=\"{width}\" height=\"{height}\"";
        text = text.Replace(size + ">", $"{size} viewBox=\"0 0 {width} {height}\">", StringComparison.Ordinal);

        // Skia places each letter by itself, as wide as in its own font. A reader who has another font gets other widths: keep the
        // place of the first, and name what to take instead.
        text = Letters().Replace(text, "${axis}=\"${first}\"");
        text = text.Replace($"font-family=\"{Font}\"", $"font-family=\"{Font}, sans-serif\"", StringComparison.Ordinal);
        return Encoding.UTF8.GetBytes(text);
    }

    [GeneratedRegex("(?<=<text [^>]*)\\b(?<axis>[xy])=\"(?<first>[-0-9.e]+), [^\"]*\"")]
    private static partial Regex Letters();
}
