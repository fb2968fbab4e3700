using Pipelines.Workflows;

namespace Pipelines.Activities.Data;

/// <summary>A folder with a folder for each class, in the order of their names; PNG files.</summary>
public sealed class FolderSource : ImageSource
{
    private static readonly string[] Others = [".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"];

    private readonly List<string> files = [];
    private readonly List<int> labels = [];

    /// <exception cref="StageException">There are no classes, one is empty, or holds images of another format.</exception>
    public FolderSource(string folder)
    {
        Origin = folder;
        var classes = Directory.EnumerateDirectories(folder).Where(one => !Path.GetFileName(one).StartsWith('.')).Order(StringComparer.Ordinal).ToArray();
        if (classes.Length == 0)
            throw new StageException($"{folder} has no folders: expected one for each class");
        Classes = [.. classes.Select(one => Path.GetFileName(one)!)];
        foreach (var (label, path) in classes.Index())
            Add(label, path);
    }

    public override string Origin { get; }

    public override IReadOnlyList<string> Classes { get; }

    public override IReadOnlyList<int> Labels => labels;

    public override string Place(int index) => files[index];

    public override RawImage Read(int index) => Png.Decode(files[index], SourceFile.Read(files[index]));

    private void Add(int label, string folder)
    {
        var all = Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal).ToArray();
        var images = all.Where(file => Is(file, ".png")).ToArray();
        if (Array.Find(all, file => Array.Exists(Others, ending => Is(file, ending))) is { } other)
            throw new StageException($"{other}: only PNG is read from folders: convert it, for instance by 'mogrify -format png'");
        if (images.Length == 0)
            throw new StageException($"{folder} holds no PNG: a class without images");
        files.AddRange(images);
        labels.AddRange(Enumerable.Repeat(label, images.Length));
    }

    private static bool Is(string file, string ending) => file.EndsWith(ending, StringComparison.OrdinalIgnoreCase);
}
