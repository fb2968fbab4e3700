using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Pipelines.Activities.Data;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Modeling;

/// <summary>Trains a tokenizer and a small Llama from scratch: a model to try things on where there is none.</summary>
[Description("Trains a byte-level tokenizer and a small Llama from scratch")]
public sealed class TrainModel : Activity<TrainModel.Inputs, TrainModel.Parameters, TrainModel.Outputs>
{
    public sealed record Inputs(Dataset Data);

    public sealed record Parameters(
        [property: Range(16, 8192), Description("Width of the residual stream")] int Hidden = 128,
        [property: Range(1, 128), Description("Blocks")] int Layers = 4,
        [property: Range(1, 128), Description("Query heads")] int Heads = 4,
        [property: Range(1, 128), Description("KV heads; the query heads are shared out among them")] int KeyValueHeads = 2,
        [property: Range(16, 65536), Description("Neurons of an MLP")] int Intermediate = 352,
        [property: Range(259, 65536), Description("Tokens of the vocabulary")] int Vocabulary = 512,
        [property: Range(1, 1_000_000), Description("Training steps")] int Steps = 300,
        [property: Range(1, 4096), Description("Sequences in a batch")] int Batch = 16,
        [property: Range(1e-6, 1.0), Description("The highest learning rate")] double LearningRate = 3e-3,
        [property: Description("Of the initial weights and of the order of the data")] long Seed = 0);

    public sealed record Outputs(Checkpoint Model, double Loss);

    public override string Kind => "model.train";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        var (text, windows) = await DatasetFolder.OpenAsync(stage.Artifacts, inputs.Data, cancellation);
        var tokenizer = BpeTrainer.Train(text, parameters.Vocabulary, ["<|unk|>", "<|bos|>", "<|eos|>"]);
        stage.Log($"tokenizer: {tokenizer.VocabularySize} tokens");
        tokenizer.Save(stage.Scratch);

        var config = CausalConfig.Parse("model.train", Config(parameters, tokenizer.VocabularySize, windows.Length));
        using var llama = CausalFolder.Create(config, parameters.Seed);
        using var model = new LoadedModel(stage.Scratch, llama, tokenizer);
        using var tokens = await stage.TokensAsync(inputs.Data, model, null, cancellation);
        Tensor[] trained = [.. llama.NamedParameters().Select(parameter => parameter.Tensor.requires_grad_())];
        var loss = new TrainingLoop(parameters.Steps, parameters.LearningRate, 0.1).Run(
            llama, trained, new TokenBatches(tokens, parameters.Batch, parameters.Seed), stage, cancellation);
        foreach (var parameter in trained)
            parameter.requires_grad_(false);
        return new Outputs(await stage.SaveModelAsync(model, cancellation), loss);
    }

    private static JsonObject Config(Parameters parameters, int vocabulary, int length)
    {
        if (parameters.Hidden % parameters.Heads != 0)
            throw new StageException($"hidden is {parameters.Hidden}, no multiple of heads, {parameters.Heads}");
        return new JsonObject
        {
            ["architectures"] = new JsonArray("LlamaForCausalLM"),
            ["model_type"] = "llama",
            ["hidden_size"] = parameters.Hidden,
            ["intermediate_size"] = parameters.Intermediate,
            ["num_hidden_layers"] = parameters.Layers,
            ["num_attention_heads"] = parameters.Heads,
            ["num_key_value_heads"] = parameters.KeyValueHeads,
            ["vocab_size"] = vocabulary,
            ["max_position_embeddings"] = length,
            ["rms_norm_eps"] = 1e-5,
            ["rope_theta"] = 10000.0,
            ["hidden_act"] = "silu",
            ["tie_word_embeddings"] = false,
            ["bos_token_id"] = 1,
            ["eos_token_id"] = 2,
        };
    }
}
