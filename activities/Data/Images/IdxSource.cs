using System.Buffers.Binary;
using Pipelines.Workflows;

namespace Pipelines.Activities.Data;

/// <summary>
/// IDX files, as MNIST and its kin have them, plain or gzip: a file of images (magic 0x803: count, rows, columns; 0x804: count,
/// channels, rows, columns) and one of labels (0x801), big-endian.
/// </summary>
public sealed class IdxSource : ImageSource
{
    private readonly string path;
    private readonly byte[] images;
    private readonly int start;
    private readonly (int Channels, int Height, int Width) size;

    /// <param name="labelPath">Null for the file beside it whose name says <c>labels-idx1</c> where this says <c>images-idx3</c>.</param>
    /// <exception cref="StageException">A file is absent, no IDX file, cut off, or the two do not fit each other.</exception>
    public IdxSource(string path, string? labelPath)
    {
        this.path = path;
        labelPath ??= LabelsBeside(path);
        images = SourceFile.Read(path);
        var shape = Shape(path, images, out start);
        size = shape.Length switch
        {
            3 => (1, shape[1], shape[2]),
            4 => (shape[1], shape[2], shape[3]),
            _ => throw new StageException($"{path}: has {shape.Length} dimensions: expected images, of 3 or 4"),
        };
        var labels = SourceFile.Read(labelPath);
        var count = Shape(labelPath, labels, out var labelStart);
        if (count.Length != 1)
            throw new StageException($"{labelPath}: has {count.Length} dimensions: expected labels, of 1");
        if (count[0] != shape[0])
            throw new StageException($"{path} has {shape[0]} images, {labelPath} {count[0]} labels: expected as many");
        if (count[0] == 0)
            throw new StageException($"{path} holds no image");
        Labels = [.. labels[labelStart..].Select(label => (int)label)];
        // As MNIST and Fashion-MNIST; EMNIST has more, and its numbers are told by the greatest of them.
        Classes = [.. Enumerable.Range(0, Math.Max(10, Labels.Max() + 1)).Select(label => $"{label}")];
    }

    public override string Origin => path;

    public override IReadOnlyList<string> Classes { get; }

    public override IReadOnlyList<int> Labels { get; }

    public override string Place(int index) => $"{path}: record {index}";

    public override RawImage Read(int index)
    {
        var (channels, height, width) = size;
        var bytes = channels * height * width;
        var at = start + index * bytes;
        return new RawImage(channels, height, width, images[at..(at + bytes)]);
    }

    /// <summary>Sizes of each dimension, and where the data begins.</summary>
    private static int[] Shape(string path, byte[] bytes, out int start)
    {
        if (bytes is not [0, 0, 8, var rank, ..] || rank == 0)
        {
            throw new StageException(
                $"{path} begins with {Convert.ToHexString(bytes.AsSpan(0, Math.Min(4, bytes.Length)))}: expected 000008 and the number of dimensions, as an IDX file of bytes");
        }

        start = 4 + 4 * rank;
        if (bytes.Length < start)
            throw new StageException($"{path}: {bytes.Length} bytes: its header of {start} is cut off");
        var shape = new int[rank];
        var wanted = 1L;
        for (var i = 0; i < rank; i++)
        {
            shape[i] = BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(4 + 4 * i));
            if (shape[i] < 0 || shape[i] > int.MaxValue / Math.Max(wanted, 1))
                throw new StageException($"{path}: dimension {i} is {(uint)shape[i]}: too large");
            wanted *= shape[i];
        }

        if (bytes.Length - start != wanted)
        {
            var record = wanted / Math.Max(shape[0], 1);
            throw new StageException(
                $"{path}: {string.Join(" × ", shape)} takes {wanted} bytes, but {bytes.Length - start} follow the header"
                + (bytes.Length - start < wanted && record > 0 ? $": record {(bytes.Length - start) / record} is cut off" : ""));
        }

        return shape;
    }

    private static string LabelsBeside(string path)
    {
        var name = Path.GetFileName(path);
        var labels = name.Replace("images-idx3", "labels-idx1", StringComparison.Ordinal).Replace("images.idx3", "labels.idx1", StringComparison.Ordinal);
        var bare = labels.EndsWith(".gz", StringComparison.Ordinal) ? labels[..^3] : labels;
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        return labels == name
            ? throw new StageException($"{path}: its labels are not plain from its name (images-idx3 → labels-idx1): set 'labels'")
            : new[] { labels, bare, $"{bare}.gz" }.Select(one => Path.Combine(folder, one)).FirstOrDefault(File.Exists)
                ?? throw new StageException($"{path}: there is no {Path.Combine(folder, labels)} beside it: set 'labels'");
    }
}
