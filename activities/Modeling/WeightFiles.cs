namespace Pipelines.Activities.Modeling;

/// <summary>The weights of a checkpoint, as they lie on disk.</summary>
internal static class WeightFiles
{
    /// <summary>Bytes of all safetensors files.</summary>
    public static long Bytes(string folder) =>
        Directory.EnumerateFiles(folder, "*.safetensors").Sum(file => new FileInfo(file).Length);
}
