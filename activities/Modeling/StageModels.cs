using Pipelines.Activities.Calibration;
using Pipelines.Activities.Data;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Modeling;

/// <summary>Said by a loop: so many of so many units are done.</summary>
public delegate void ReportProgress(long done, long total, string unit, params ReadOnlySpan<(string Name, double Value)> figures);

/// <summary>Models, tokens and statistics, from artifacts and back.</summary>
public static class StageModels
{
    /// <exception cref="StageException">It is no language model.</exception>
    public static async Task<LoadedModel> LoadModelAsync(
        this StageContext stage, Checkpoint checkpoint, CancellationToken cancellation)
    {
        var folder = await stage.OpenLanguageAsync(checkpoint, cancellation);
        var model = CausalFolder.Load(folder, device(stage.Device));
        AdapterFolder.Attach(model, folder);
        return new LoadedModel(folder, model, Tokenizer.Load(folder));
    }

    /// <summary>The folder of a language model.</summary>
    /// <exception cref="StageException">It is no language model.</exception>
    public static Task<string> OpenLanguageAsync(this StageContext stage, Checkpoint checkpoint, CancellationToken cancellation) =>
        ImageConfig.Knows(checkpoint.Architecture)
            ? throw new StageException($"the model is an image classifier ({checkpoint.Architecture}): this stage works on language models")
            : stage.Artifacts.OpenAsync(checkpoint.Hash, cancellation);

    /// <summary>A checkpoint of the model as it is now, with its tokenizer.</summary>
    /// <exception cref="StageException">It carries adapters, which the checkpoint would lose.</exception>
    public static async Task<Checkpoint> SaveModelAsync(
        this StageContext stage, LoadedModel model, CancellationToken cancellation)
    {
        if (model.Network.Linears().Any(linear => linear.Adapter is not null))
            throw new StageException("this model carries adapters: merge them first (finetune.lora with adapters merged)");
        await using var draft = stage.Artifacts.Begin();
        CausalFolder.Save(model.Network, draft.Folder);
        TokenizerFiles.Copy(model.Folder, draft.Folder);
        return new Checkpoint(await draft.CommitAsync(cancellation), model.Network.Config.Architecture);
    }

    /// <summary>The ids of a text, each of them a row of an embedding.</summary>
    /// <param name="vocabulary">The embedding's rows.</param>
    /// <exception cref="StageException">The tokenizer gives an id beyond them.</exception>
    public static int[] Encode(this Tokenizer tokenizer, string text, int vocabulary)
    {
        var ids = tokenizer.Encode(text);
        return Array.Find(ids, id => id >= vocabulary) is > 0 and var outside
            ? throw new StageException($"the tokenizer gives id {outside}, but the model's vocab_size is {vocabulary}")
            : ids;
    }

    /// <summary>The windows of a dataset as tokens [sequences, length], int64, on the stage's device.</summary>
    /// <param name="most">Sequences at most; null for all of the dataset's.</param>
    public static Task<Tensor> TokensAsync(
        this StageContext stage, Dataset dataset, LoadedModel model, int? most, CancellationToken cancellation) =>
        stage.TokensAsync(dataset, model.Tokenizer, model.Network.Config.VocabSize, most, cancellation);

    /// <summary>The same for a model that is not loaded.</summary>
    public static async Task<Tensor> TokensAsync(
        this StageContext stage, Dataset dataset, Tokenizer tokenizer, int vocabulary, int? most, CancellationToken cancellation)
    {
        var (text, windows) = await DatasetFolder.OpenAsync(stage.Artifacts, dataset, cancellation);
        var ids = tokenizer.Encode(text, vocabulary);
        var starts = DatasetFolder.Starts(windows, ids.Length);
        if (most < starts.Length)
            starts = starts[..most.Value];
        var tokens = new long[starts.Length * (long)windows.Length];
        for (var i = 0; i < starts.Length; i++)
        {
            for (var j = 0; j < windows.Length; j++)
                tokens[i * (long)windows.Length + j] = ids[starts[i] + j];
        }

        using var flat = tensor(tokens);
        return flat.view(starts.Length, windows.Length).to(device(stage.Device));
    }

    /// <param name="propagation">How they must have been gathered; null for either way.</param>
    /// <exception cref="StageException">The statistics were taken of another model, or in another way.</exception>
    public static async Task<StatisticsFile> OpenStatisticsAsync(
        this StageContext stage, Statistics statistics, Checkpoint model, CancellationToken cancellation, Propagation? propagation = null)
    {
        var folder = await stage.Artifacts.OpenAsync(statistics.Hash, cancellation);
        return StatisticsFile.Open(folder, model.Hash, propagation);
    }
}
