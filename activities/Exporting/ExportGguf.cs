using System.ComponentModel;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Exporting;

/// <summary>
/// Writes a Llama or a Mistral as one GGUF file for llama.cpp, then opens it again: every tensor is compared with its
/// source, every zero has to be one still, and a forward pass of what the file holds is compared with the model's.
/// </summary>
[Description("Writes a Llama or a Mistral as GGUF for llama.cpp, opens it again and checks it")]
public sealed class ExportGguf : Activity<ExportGguf.Inputs, ExportGguf.Parameters, ExportGguf.Outputs>
{
    private const string FileName = "model.gguf";
    private const int ProbeLength = 32;

    public sealed record Inputs(Checkpoint Model);

    public sealed record Parameters(
        [property: Description("The matrices' type in the file; q8_0 is 8.5 bits per value. Norms stay f32")] GgufType Type = GgufType.F16,
        [property: Description("The model's name in the file, for people")] string Name = "model");

    /// <param name="Zeros">The share of the file's values that are exactly zero.</param>
    public sealed record Outputs(Export Export, double Zeros);

    public override string Kind => "export.gguf";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        await using var draft = stage.Artifacts.Begin();
        var source = await stage.OpenLanguageAsync(inputs.Model, cancellation);
        using var model = CausalFolder.Load(source, CPU);
        AdapterFolder.Attach(model, source);
        if (model.Linears().Any(linear => linear.Adapter is not null))
        {
            throw new StageException(
                "this model carries adapters, which GGUF has no place for: merge them first (finetune.lora with adapters merged)");
        }

        var gguf = CausalGguf.Of(model, parameters.Name);
        var vocabulary = GgufVocabulary.Read(source, gguf.VocabSize);
        var path = Path.Combine(draft.Folder, FileName);
        GgufModel.Write(path, parameters.Type, gguf, vocabulary, model.NamedParameters());
        cancellation.ThrowIfCancellationRequested();
        var check = GgufModel.Check(path, parameters.Type, gguf, vocabulary, model.NamedParameters());
        using (var reopened = CausalGguf.Load(path, model.Config, gguf))
            Compare(model, reopened, parameters.Type, stage);

        stage.Log(
            $"{check.Tensors} tensors, {check.Zeros:N0} of {check.Values:N0} values are zero; the largest error is {check.LargestError:g3}");
        if (gguf.MaxPositionEmbeddings < model.Config.MaxPositionEmbeddings)
            stage.Log($"the context ends with the attention's window, {gguf.MaxPositionEmbeddings} tokens: GGUF's llama has none");
        return new Outputs(
            new Export(await draft.CommitAsync(cancellation), check.Bytes, Manifest: false), (double)check.Zeros / check.Values);
    }

    /// <summary>
    /// How far the file's logits may lie from the model's, of the logits' own size. Each product adds an error of its
    /// weights' relative rounding; of those on the way through the model, two a block and the head's, the errors are
    /// independent and add up as a root. Every tensor has been compared by itself; this is for what all of them have in
    /// common, such as the order of rows.
    /// </summary>
    public static double Bound(GgufType type, int blocks) => 4 * Math.Sqrt(2 * blocks + 1) * type switch
    {
        // What the order of float32's sums may change.
        GgufType.F32 => 1e-6,
        GgufType.F16 => Math.Pow(2, -11),
        GgufType.BF16 => Math.Pow(2, -8),

        // Half a step of 1/127 of a block's largest value, about twice as large as the others.
        _ => 1.0 / 127,
    };

    /// <exception cref="StageException">The file's model is not the one that was written.</exception>
    private static void Compare(CausalLM written, CausalLM reopened, GgufType type, StageContext stage)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        var tokens = arange(ProbeLength, dtype: ScalarType.Int64).mul(7).remainder(written.Config.VocabSize).unsqueeze(0);
        var (expected, got) = (written.Forward(tokens), reopened.Forward(tokens));
        if (!expected.isfinite().all().ToBoolean())
            throw new StageException("the model's logits hold NaN or infinity: it is not exported");
        var (difference, bound) = (Distance(expected, got), Bound(type, written.Blocks.Count));
        var found = $"its logits differ by {difference:g3} of their size: {type} may change them by {bound:g3}";
        if (!(difference <= bound))
            throw new StageException($"the export was opened again and {found}");
        stage.Log($"the file was opened again; {found}");
    }

    private static double Distance(Tensor expected, Tensor got)
    {
        var wide = expected.to(ScalarType.Float64);
        var size = wide.square().sum().ToDouble();
        return Math.Sqrt((got.to(ScalarType.Float64) - wide).square().sum().ToDouble() / Math.Max(size, double.Epsilon));
    }
}
