using System.ComponentModel;
using Pipelines.Activities.Data;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Modeling;

/// <summary>
/// Takes a model's directory in as a checkpoint: a language model in Hugging Face's layout, or an image classifier. Safetensors
/// only; sharded ones become one file.
/// </summary>
[Description("Takes in the directory of a language model or of an image classifier")]
public sealed class LoadModel : Activity<None, LoadModel.Parameters, LoadModel.Outputs>
{
    public sealed record Parameters([property: Description("The directory")] string Path);

    public sealed record Outputs(Checkpoint Model);

    public override string Kind => "model.load";

    public override string? Source(Parameters parameters) => FileState.Of(parameters.Path);

    public override async Task<Outputs> RunAsync(
        None inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        if (!Directory.Exists(parameters.Path))
            throw new StageException($"there is no directory '{parameters.Path}'");
        if (ImageConfig.IsIn(parameters.Path))
            return new Outputs(await TakeInClassifierAsync(parameters.Path, stage, cancellation));
        var tokenizer = Tokenizer.Load(parameters.Path);

        // Views of the files: a model larger than memory is taken in as well.
        using var source = CausalSource.OpenStored(parameters.Path);
        using var model = source.Load();
        stage.Log($"{model.Config.Architecture}: {model.ParameterCount():N0} parameters, {model.Blocks.Count} blocks");
        return new Outputs(await stage.SaveModelAsync(new LoadedModel(parameters.Path, model, tokenizer), cancellation));
    }

    private static async Task<Checkpoint> TakeInClassifierAsync(string folder, StageContext stage, CancellationToken cancellation)
    {
        using var network = VisionFolder.Load(folder, CPU);
        stage.Log($"{network.Config.Architecture}: {network.ParameterCount():N0} parameters, {VisionFlops.Macs(network) / 1e6:N1} M multiply-adds");
        return await stage.SaveClassifierAsync(network, cancellation);
    }
}
