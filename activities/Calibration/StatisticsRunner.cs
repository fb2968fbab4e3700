using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Activities.Calibration;

/// <summary>
/// Gathers a plan's statistics of a model that lies in a folder: one block is in memory, what was gathered of the blocks
/// before it lies in files. Goes on from the stage's checkpoint to the same bits.
/// </summary>
public sealed class StatisticsRunner(string model, StatisticsPlan plan, StageContext stage, CancellationToken cancellation)
{
    private const string HiddenFile = "hidden.safetensors";
    private const string HiddenName = "hidden";
    private static readonly TimeSpan BetweenCheckpoints = TimeSpan.FromMinutes(2);

    /// <summary>The folder of a model whose blocks' output each block is measured on; null for the model's own.</summary>
    public string? Compressed { get; init; }

    /// <param name="tokens">[sequences, length], int64.</param>
    /// <returns>The files of the blocks, in order; they lie in the stage's scratch folder.</returns>
    /// <exception cref="StageException">A statistic is no number, or the two models do not fit together.</exception>
    public IReadOnlyList<string> Run(Tensor tokens)
    {
        using var ungraded = no_grad();
        var device = torch.device(stage.Device);
        using var source = CausalSource.Open(model, device);
        using var other = Compressed is null ? null : CausalSource.Open(Compressed, device);
        if (other is not null && (other.BlockCount != source.BlockCount || other.Width != source.Width))
        {
            throw new StageException(
                $"the compressed model has {other.BlockCount} blocks of width {other.Width}, the measured one {source.BlockCount} of {source.Width}: "
                + "each block can only be measured on the output of the same blocks before it");
        }

        using var runner = new BlockRunner(source, index => Load(source, model, index), tokens, stage.Scratch, cancellation);
        Restore(runner);
        while (runner.MoveNext())
        {
            using var successor = other is null ? null : Load(other, Compressed!, runner.Index);
            Gather(runner, source.Config.Names.Layer(runner.Index), successor);
            stage.Report(runner.Index + 1, runner.BlockCount, "block");
            if (stage.Checkpoints.Due(BetweenCheckpoints))
                stage.Checkpoints.Save(runner.Index + 1, folder => Save(runner, folder));
            cancellation.ThrowIfCancellationRequested();
        }

        return [.. Enumerable.Range(0, source.BlockCount).Select(index => BlockFile(stage.Scratch, index))];
    }

    private void Gather(BlockRunner runner, string name, DecoderBlock? successor)
    {
        using var scope = NewDisposeScope();
        using var statistics = new BlockStatistics(runner.Block, plan);
        runner.Gather(statistics, plan.Has(StatisticKinds.Influence), successor);
        StatisticsFile.Write(BlockFile(stage.Scratch, runner.Index), statistics.Finish(name), statistics.Shared);
    }

    private void Save(BlockRunner runner, string folder)
    {
        for (var index = 0; index <= runner.Index; index++)
            File.Copy(BlockFile(stage.Scratch, index), BlockFile(folder, index));
        SafetensorsWriter.Write(Path.Combine(folder, HiddenFile), [TensorSource.Of(HiddenName, runner.Hidden)]);
    }

    private void Restore(BlockRunner runner)
    {
        if (stage.Checkpoints.Latest is not { } checkpoint)
            return;
        var done = checked((int)checkpoint.Step);
        for (var index = 0; index < done; index++)
            File.Copy(BlockFile(checkpoint.Folder, index), BlockFile(stage.Scratch, index));
        using var file = SafetensorsFile.Open(Path.Combine(checkpoint.Folder, HiddenFile));
        using var hidden = file.View(HiddenName);
        runner.Resume(done, hidden);
        stage.Log($"goes on after block {done}");
    }

    private static DecoderBlock Load(CausalSource source, string folder, int index)
    {
        var block = source.LoadBlock(index);
        AdapterFolder.Attach(block.Linears, folder, source.Device);
        return block;
    }

    private static string BlockFile(string folder, int index) => Path.Combine(folder, $"block-{index:d5}.safetensors");
}
