using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Workflows;

namespace Pipelines.Activities.Data;

/// <summary>A text file, kept as an artifact, with the windows of it that later stages read.</summary>
[Description("A text file, cut into sequences of tokens by the model that reads it")]
public sealed class TextData : Activity<None, TextData.Parameters, TextData.Outputs>
{
    public sealed record Parameters(
        [property: Description("The file, UTF-8")] string Path,
        [property: Range(1, int.MaxValue), Description("How many sequences; all that fit when absent")] int? Sequences = null,
        [property: Range(2, 1 << 20), Description("Tokens in a sequence")] int Length = 256,
        [property: Description("Which sequences, when not all")] WindowOrder Order = WindowOrder.First,
        [property: Description("Of the random order")] long Seed = 0);

    public sealed record Outputs(Dataset Data);

    public override string Kind => "data.text";

    public override string? Source(Parameters parameters) => FileState.Of(parameters.Path);

    public override async Task<Outputs> RunAsync(
        None inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        var bytes = await ReadAsync(parameters, cancellation);
        stage.Report(bytes.Length, bytes.Length, "byte");
        var windows = new TokenWindows(
            Path.GetFileName(parameters.Path), parameters.Sequences, parameters.Length, parameters.Order, parameters.Seed);
        return new Outputs(await DatasetFolder.SaveAsync(stage.Artifacts, bytes, windows, cancellation));
    }

    private static async Task<byte[]> ReadAsync(Parameters parameters, CancellationToken cancellation)
    {
        var bytes = await Utf8File.ReadAsync(parameters.Path, cancellation);

        // No token is shorter than a byte, so this holds for every tokenizer; the exact count is checked by who reads it.
        if (bytes.Length < (long)parameters.Length * (parameters.Sequences ?? 1))
        {
            throw new StageException(
                $"{parameters.Path} has {bytes.Length} bytes: too short for {parameters.Sequences ?? 1} sequence(s) "
                + $"of {parameters.Length} tokens");
        }

        return bytes;
    }
}
