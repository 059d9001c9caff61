using System.CommandLine;
using Doorbell.Native;
using ScottPlot;

namespace Doorbell.Cli.Printing.Plots;

/// <summary>Where a picture of what was measured goes: an SVG or PNG file that the user names.</summary>
internal static class PlotFile
{
    public static Option<FileInfo?> Option() => new("--plot")
    {
        Description = "Draw a picture too: FILE.svg or FILE.png",
        HelpName = "FILE",
        CustomParser = static result =>
        {
            string name = result.Tokens[0].Value;
            if (Path.GetExtension(name) is ".svg" or ".png" && !name.Contains('\0'))
            {
                return new FileInfo(name);
            }

            result.AddError($"--plot takes a name that ends in .svg or .png, not \"{PrintableText.Escape(Path.GetFileName(name))}\"");
            return null;
        },
    };

    /// <summary>Looks, before anything is measured, whether the file could be written then.</summary>
    /// <returns>Why not, in one line; null if it can, or if none is wanted.</returns>
    public static string? WhyNot(FileInfo? file) => file is null ? null : WhyNot(file, () =>
    {
        if (FileStatus.Of(file.DirectoryName ?? ".") is not { IsFolder: true })
        {
            throw new IOException("ENOENT (No such file or directory); its folder is not there: make it, or choose another");
        }

        try
        {
            _ = PlotSvg.Font;
        }
        catch (Exception failure) when (failure is DllNotFoundException or TypeInitializationException)
        {
            throw new IOException(
                $"drawing takes libSkiaSharp and libHarfBuzzSharp, which are not in {AppContext.BaseDirectory}; "
                    + "copy them there from where the executable was published");
        }
    });

    /// <summary>Writes the picture.</summary>
    /// <returns>Why it could not, in one line; null if it could.</returns>
    public static string? Write(FileInfo file, Multiplot picture, int width, int height) => WhyNot(file, () =>
    {
        using FileStream written = new(SystemFile.Create(file.FullName), FileAccess.Write, bufferSize: 0);
        written.Write(file.Extension == ".svg"
            ? PlotSvg.Of(picture, width, height)
            : picture.Render(width, height).GetImageBytes(ImageFormat.Png));
    });

    private static string? WhyNot(FileInfo file, Action draw)
    {
        try
        {
            draw();
            return null;
        }
        catch (Exception failure) when (FileFailure.Is(failure))
        {
            return $"draw {PrintableText.Escape(file.FullName)}: {FileFailure.Why(failure)}";
        }
    }
}
