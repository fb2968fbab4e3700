using Pipelines.Workflows;

namespace Pipelines.Activities.Data;

/// <summary>One image as it was read.</summary>
/// <param name="Pixels">channels × height × width: plane by plane, row by row.</param>
public sealed record RawImage(int Channels, int Height, int Width, byte[] Pixels)
{
    public string Size => $"{Width}×{Height}×{Channels}";
}

/// <summary>Labelled images in a format of others: counted and labelled when it is opened, decoded one by one.</summary>
public abstract class ImageSource
{
    /// <summary>The file or folder, for messages.</summary>
    public abstract string Origin { get; }

    /// <summary>Names by label.</summary>
    public abstract IReadOnlyList<string> Classes { get; }

    /// <summary>Of each image.</summary>
    public abstract IReadOnlyList<int> Labels { get; }

    /// <summary>Where an image stands, for messages: a file, or a file and its record.</summary>
    public abstract string Place(int index);

    /// <exception cref="StageException">It is damaged.</exception>
    public abstract RawImage Read(int index);
}
