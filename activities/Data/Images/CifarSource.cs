using Pipelines.Workflows;

namespace Pipelines.Activities.Data;

/// <summary>
/// CIFAR's binary files: records of one label (CIFAR-10) or a coarse and a fine one (CIFAR-100), then 3 × 32 × 32 bytes,
/// red, green, blue, row by row.
/// </summary>
public sealed class CifarSource : ImageSource
{
    private const int Side = 32;
    private const int Bytes = 3 * Side * Side;

    private static readonly string[] Ten =
        ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

    private readonly List<(string File, byte[] Records)> files = [];
    private readonly List<(int File, int Record)> places = [];
    private readonly List<int> labels = [];
    private readonly int labelBytes;

    /// <param name="paths">Read one after the other.</param>
    /// <param name="hundred">Whether it is CIFAR-100.</param>
    /// <param name="coarse">With CIFAR-100, its 20 classes in place of its 100.</param>
    /// <exception cref="StageException">A file cannot be read, is cut off or holds a label that there is not.</exception>
    public CifarSource(IReadOnlyList<string> paths, bool hundred, bool coarse)
    {
        labelBytes = hundred ? 2 : 1;
        Origin = string.Join(", ", paths);
        Classes = !hundred ? Ten : Names(paths[0], coarse ? "coarse_label_names.txt" : "fine_label_names.txt", coarse ? 20 : 100);
        foreach (var path in paths)
            Add(path, hundred && !coarse ? 1 : 0);
    }

    public override string Origin { get; }

    public override IReadOnlyList<string> Classes { get; }

    public override IReadOnlyList<int> Labels => labels;

    /// <summary>Bytes of a record with so many labels.</summary>
    public static int RecordBytes(bool hundred) => Bytes + (hundred ? 2 : 1);

    public override string Place(int index) => $"{files[places[index].File].File}: record {places[index].Record}";

    public override RawImage Read(int index)
    {
        var (file, record) = places[index];
        var at = record * (Bytes + labelBytes) + labelBytes;
        return new RawImage(3, Side, Side, files[file].Records[at..(at + Bytes)]);
    }

    private void Add(string path, int labelAt)
    {
        var records = SourceFile.Read(path);
        var size = Bytes + labelBytes;
        if (records.Length == 0 || records.Length % size != 0)
        {
            throw new StageException(
                $"{path}: {records.Length} bytes are no whole records of {size} ({labelBytes} for the label, {Bytes} for the pixels): "
                + $"record {records.Length / size} is cut off after {records.Length % size}");
        }

        for (var record = 0; record < records.Length / size; record++)
        {
            int label = records[record * size + labelAt];
            if (label >= Classes.Count)
                throw new StageException($"{path}: record {record} has the label {label}: expected 0 to {Classes.Count - 1}");
            labels.Add(label);
            places.Add((files.Count, record));
        }

        files.Add((path, records));
    }

    /// <summary>From the list beside the file, where it is there; else the numbers.</summary>
    private static string[] Names(string path, string list, int count)
    {
        var file = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, list);
        var names = File.Exists(file) ? File.ReadLines(file).Select(line => line.Trim()).Where(line => line.Length > 0).ToArray() : [];
        return names.Length == count ? names : [.. Enumerable.Range(0, count).Select(label => $"{label}")];
    }
}
