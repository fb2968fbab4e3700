using System.ComponentModel;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Exporting;

/// <summary>
/// Writes a checkpoint as other tools load it, then opens it again: its zeros are counted and one forward pass is compared
/// before the stage succeeds.
/// </summary>
[Description("Writes a checkpoint that other tools load, opens it again and checks it")]
public sealed class ExportHuggingFace : Activity<ExportHuggingFace.Inputs, ExportHuggingFace.Parameters, ExportHuggingFace.Outputs>
{
    private const int ProbeLength = 32;

    public sealed record Inputs(Checkpoint Model);

    public sealed record Parameters(
        [property: Description("The tensors' type in the file")] ExportType Type = ExportType.Keep);

    public sealed record Outputs(Export Export);

    public override string Kind => "export.huggingface";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        await using var draft = stage.Artifacts.Begin();
        var source = await stage.Artifacts.OpenAsync(inputs.Model.Hash, cancellation);
        var manifest = ImageConfig.Knows(inputs.Model.Architecture)
            ? ClassifierExport.Write(source, draft.Folder, Dtype(parameters.Type))
            : WriteLanguage(source, draft.Folder, Dtype(parameters.Type));
        stage.Log(manifest
            ? $"widths differ or biases were added: {ExportManifest.FileName} says how, a plain config.json cannot"
            : "a plain config.json says all of it");
        var bytes = Directory.EnumerateFiles(draft.Folder).Sum(file => new FileInfo(file).Length);
        return new Outputs(new Export(await draft.CommitAsync(cancellation), bytes, manifest));
    }

    private static bool WriteLanguage(string source, string folder, ScalarType? type)
    {
        using var model = CausalFolder.Load(source, CPU, type);
        AdapterFolder.Attach(model, source);
        var manifest = CausalFolder.Save(model, folder);
        TokenizerFiles.Copy(source, folder);
        foreach (var adapter in Directory.EnumerateFiles(source, "adapter_*"))
            File.Copy(adapter, Path.Combine(folder, Path.GetFileName(adapter)));

        using var reopened = CausalFolder.Load(folder, CPU);
        AdapterFolder.Attach(reopened, folder);
        Check(model, reopened);
        return manifest;
    }

    /// <exception cref="StageException">The reopened model is not the one that was written.</exception>
    private static void Check(CausalLM written, CausalLM reopened)
    {
        var (before, after) = (written.NonzeroCount(), reopened.NonzeroCount());
        if (before != after)
            throw new StageException($"the export was opened again and has {after} non-zero parameters: {before} were written");
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        var tokens = arange(ProbeLength, dtype: ScalarType.Int64).mul(7).remainder(written.Config.VocabSize).unsqueeze(0);
        var (expected, got) = (written.Forward(tokens), reopened.Forward(tokens));
        if (!expected.isfinite().all().ToBoolean())
            throw new StageException("the model's logits hold NaN or infinity: it is not exported");
        var difference = (expected - got).abs().max().ToDouble();
        if (difference > 0)
            throw new StageException($"the export was opened again and its logits differ by {difference}: expected 0");
    }

    private static ScalarType? Dtype(ExportType type) => type switch
    {
        ExportType.Float32 => ScalarType.Float32,
        ExportType.Float16 => ScalarType.Float16,
        ExportType.Bfloat16 => ScalarType.BFloat16,
        _ => null,
    };
}

/// <summary>The type of the tensors in an exported file.</summary>
public enum ExportType
{
    [Description("As in the checkpoint")]
    Keep,

    Float32,

    Float16,

    Bfloat16,
}
