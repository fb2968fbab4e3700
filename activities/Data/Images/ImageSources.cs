using System.ComponentModel;
using Pipelines.Workflows;

namespace Pipelines.Activities.Data;

/// <summary>Formats that images are read from.</summary>
public enum ImageFormat
{
    [Description("Told from the path and its first bytes")]
    Auto,

    [Description("CIFAR-10's binary files")]
    Cifar10,

    [Description("CIFAR-100's binary files")]
    Cifar100,

    [Description("IDX files, as MNIST, plain or gzip")]
    Idx,

    [Description("A folder of PNG files for each class")]
    Folder,
}

/// <summary>Of a known set, when its folder is named.</summary>
public enum ImagePart
{
    [Description("What is to be trained on")]
    Train,

    [Description("What is to be measured on")]
    Test,
}

/// <summary>Opens images by their path.</summary>
internal static class ImageSources
{
    private static readonly Dictionary<ImagePart, (string[] Cifar10, string[] Cifar100, string Idx)> Known = new()
    {
        [ImagePart.Train] = ([.. Enumerable.Range(1, 5).Select(batch => $"data_batch_{batch}.bin")], ["train.bin"], "train-images"),
        [ImagePart.Test] = (["test_batch.bin"], ["test.bin"], "t10k-images"),
    };

    /// <param name="labels">The IDX file of labels; null for the one beside.</param>
    /// <param name="coarse">CIFAR-100's 20 classes in place of its 100.</param>
    /// <exception cref="StageException">There is nothing, or nothing that is known; or it is damaged.</exception>
    public static ImageSource Open(string path, ImageFormat format, ImagePart part, string? labels, bool coarse)
    {
        var isFolder = Directory.Exists(path);
        if (!isFolder && !File.Exists(path))
            throw new StageException($"there is no file or folder '{path}'");
        if (format == ImageFormat.Auto)
            format = isFolder ? FormatOfFolder(path) : FormatOfFile(path);
        if (!isFolder)
        {
            return format switch
            {
                ImageFormat.Idx => new IdxSource(path, labels),
                ImageFormat.Folder => throw new StageException($"{path} is a file: expected a folder with one for each class"),
                _ => new CifarSource([path], format == ImageFormat.Cifar100, coarse),
            };
        }

        var (ten, hundred, idx) = Known[part];
        return format switch
        {
            ImageFormat.Cifar10 => new CifarSource(Within(path, ten), false, coarse),
            ImageFormat.Cifar100 => new CifarSource(Within(path, hundred), true, coarse),
            ImageFormat.Idx => new IdxSource(
                Directory.EnumerateFiles(path).Order(StringComparer.Ordinal).FirstOrDefault(file => Path.GetFileName(file).StartsWith(idx, StringComparison.Ordinal))
                    ?? throw new StageException($"{path} has no file {idx}…: set 'path' to the file of images"), labels),
            _ => new FolderSource(path),
        };
    }

    private static string[] Within(string folder, string[] names) =>
        Array.Find(names, name => !File.Exists(Path.Combine(folder, name))) is { } missing
            ? throw new StageException($"{folder} has no {missing}: name one of its files, or the other part")
            : [.. names.Select(name => Path.Combine(folder, name))];

    private static ImageFormat FormatOfFolder(string folder)
    {
        bool Has(string pattern) => Directory.EnumerateFiles(folder, pattern).Any();
        return Has("data_batch_*.bin") || Has("test_batch.bin") ? ImageFormat.Cifar10
            : Has("train.bin") || Has("test.bin") ? ImageFormat.Cifar100
            : Has("*-images*idx*") ? ImageFormat.Idx : ImageFormat.Folder;
    }

    private static ImageFormat FormatOfFile(string path)
    {
        var bytes = SourceFile.Read(path);
        if (bytes is [0, 0, 8, 1 or 3 or 4, ..])
            return ImageFormat.Idx;
        var (ten, hundred) = (bytes.Length % CifarSource.RecordBytes(false) == 0, bytes.Length % CifarSource.RecordBytes(true) == 0);
        return (ten, hundred, bytes.Length) switch
        {
            (_, _, 0) => throw new StageException($"{path} is empty"),
            (true, false, _) => ImageFormat.Cifar10,
            (false, true, _) => ImageFormat.Cifar100,
            (true, true, _) => throw new StageException($"{path} may be CIFAR-10 or CIFAR-100: set 'format'"),
            _ => throw new StageException(
                $"{path}: {bytes.Length} bytes, beginning with {Convert.ToHexString(bytes.AsSpan(0, Math.Min(4, bytes.Length)))}: neither IDX "
                + $"(00000803) nor whole records of CIFAR ({CifarSource.RecordBytes(false)} or {CifarSource.RecordBytes(true)} bytes): set 'format' to hear what is wrong with it"),
        };
    }
}
