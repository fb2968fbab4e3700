using System.ComponentModel;
using Pipelines.Activities.Data;
using Pipelines.Models;
using Pipelines.Workflows;

namespace Pipelines.Activities.Modeling;

/// <summary>Takes a Hugging Face directory in as a checkpoint. Safetensors only; sharded ones become one file.</summary>
[Description("Takes in a Hugging Face model directory")]
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
        var tokenizer = Tokenizer.Load(parameters.Path);

        // Views of the files: a model larger than memory is taken in as well.
        using var source = CausalSource.OpenStored(parameters.Path);
        using var model = source.Load();
        stage.Log($"{model.Config.Architecture}: {model.ParameterCount():N0} parameters, {model.Blocks.Count} blocks");
        return new Outputs(await stage.SaveModelAsync(new LoadedModel(parameters.Path, model, tokenizer), cancellation));
    }
}
