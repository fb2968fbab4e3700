using Pipelines.Activities.Calibration;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pipelines.Activities.Finetuning;

/// <summary>
/// PERP's reconstruction (Zimmer et al., arXiv:2312.15230): block after block, what may be trained of a sparse block is trained
/// until it makes of its input what the dense block makes of the same input: <c>min mean (dense(x) − sparse(x))²</c>. The next
/// block reads what this one makes then. One block's gradients are held, and one dense block.
/// </summary>
/// <param name="dense">What the model was before it was pruned.</param>
/// <param name="trainee">Of the model; what it trains outside of the blocks stays as it is.</param>
/// <param name="loop">Its steps are those of each block.</param>
internal sealed class PerpReconstruction(
    CausalLM model, CausalSource dense, Trainee trainee, TrainingLoop loop, int batch, long seed, StageContext stage,
    CancellationToken cancellation)
{
    private const string TensorFile = "blocks.safetensors";
    private const string HiddenName = "hidden";
    private const string ErrorsName = "errors";
    private static readonly TimeSpan BetweenCheckpoints = TimeSpan.FromMinutes(1);

    private readonly HashSet<Tensor> chosen = new(trainee.Tensors, ReferenceEqualityComparer.Instance);
    private readonly List<double> errors = [];

    /// <summary>Goes on behind the last block that is done, to the same bits.</summary>
    /// <param name="tokens">[sequences, length], int64.</param>
    /// <returns>The mean over the blocks of <c>‖dense(x) − sparse(x)‖² / ‖dense(x)‖²</c>, after training.</returns>
    /// <exception cref="StageException">The models do not fit together, nothing is trained, or the error is no number.</exception>
    public double Run(Tensor tokens)
    {
        Check();
        using var ungraded = no_grad();
        using var runner = new BlockRunner(model, tokens, cancellation);
        var positions = model.Positions(tokens.shape[1]);
        Restore(runner);
        while (runner.MoveNext())
        {
            using var target = dense.LoadBlock(runner.Index);
            errors.Add(Reconstruct(runner, target, positions));
            runner.Advance();
            if (stage.Checkpoints.Due(BetweenCheckpoints))
                stage.Checkpoints.Save(runner.Index + 1, folder => Save(runner, folder));
        }

        return errors.Average();
    }

    private void Check()
    {
        if (dense.BlockCount != model.Blocks.Count || dense.Width != model.Embedding.shape[1])
        {
            throw new StageException(
                $"the dense model has {dense.BlockCount} blocks of width {dense.Width}, the pruned one {model.Blocks.Count} of {model.Embedding.shape[1]}: "
                + "a block can only be held against the one that it was");
        }

        if (!model.Blocks.Any(block => Trained(block).Any()))
            throw new StageException("nothing of this model's blocks is trained: they have no parameters of the kinds that were chosen");
    }

    /// <summary>A block that training made worse stays as it was.</summary>
    /// <returns>Its relative error.</returns>
    private double Reconstruct(BlockRunner runner, DecoderBlock target, Positions positions)
    {
        using var scope = NewDisposeScope();
        var before = Error(runner, target, positions);
        (Tensor Tensor, Tensor Was)[] trained = [.. Trained(runner.Block).Select(one => (one, one.detach().clone()))];
        Train(runner, target, positions);
        var after = Error(runner, target, positions);
        var better = after < before;
        stage.Log($"block {runner.Index}: relative error {before:g4}, then {after:g4}{(better ? "" : ": left as it was; try a lower learning rate")}");
        if (better)
            return after;
        foreach (var (tensor, was) in trained)
            tensor.copy_(was);
        return double.IsFinite(before) ? before : throw new StageException($"block {runner.Index}: the error is {before}: the models hold NaN or infinity");
    }

    private void Train(BlockRunner runner, DecoderBlock target, Positions positions)
    {
        using var whole = NewDisposeScope();
        Parameter[] trained = [.. Trained(runner.Block).Select(one => nn.Parameter(one.alias()))];
        if (trained.Length == 0)
            return;
        using var optimizer = optim.AdamW([new AdamW.ParamGroup(trained, loop.Rate, beta1: 0.9, beta2: loop.Beta2, weight_decay: loop.WeightDecay)]);
        var batches = new TokenBatches(runner.Hidden, batch, seed);
        var done = runner.Index * (long)loop.Steps;
        for (var step = 0; step < loop.Steps; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var x = batches.At(done + step);
            var wanted = target.Forward(x, positions);
            optimizer.zero_grad();
            using (enable_grad())
            {
                var loss = (runner.Block.Forward(x, positions) - wanted).square().mean();
                loss.backward();
                optimizer.ParamGroups.Single().LearningRate = loop.RateAt(step);
                nn.utils.clip_grad_norm_(trained, loop.Clip);
                stage.Report(done + step + 1, model.Blocks.Count * (long)loop.Steps, "step", ("loss", loss.ToDouble()));
            }

            optimizer.step();
        }
    }

    private IEnumerable<Tensor> Trained(DecoderBlock block) =>
        block.NamedParameters("").Select(one => one.Tensor)
            .Concat(block.Linears.Select(linear => linear.Adapter).OfType<LoraAdapter>().SelectMany(adapter => new[] { adapter.A, adapter.B }))
            .Where(chosen.Contains);

    private double Error(BlockRunner runner, DecoderBlock target, Positions positions)
    {
        var (lost, all) = (0.0, 0.0);
        for (var sequence = 0L; sequence < runner.Hidden.shape[0]; sequence++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var x = runner.Hidden.narrow(0, sequence, 1);
            var wanted = target.Forward(x, positions).to(ScalarType.Float64);
            lost += (runner.Block.Forward(x, positions) - wanted).square().sum().ToDouble();
            all += wanted.square().sum().ToDouble();
        }

        return lost / all;
    }

    private void Save(BlockRunner runner, string folder)
    {
        using var scope = NewDisposeScope();
        SafetensorsWriter.Write(
            Path.Combine(folder, TensorFile),
            [
                .. Done(runner.Index + 1).Select(one => TensorSource.Of(one.Name, one.Tensor.detach())),
                TensorSource.Of(HiddenName, runner.Hidden),
                TensorSource.Of(ErrorsName, tensor(errors.ToArray())),
            ]);
    }

    private void Restore(BlockRunner runner)
    {
        if (stage.Checkpoints.Latest is not { } checkpoint)
            return;
        using var scope = NewDisposeScope();
        using var file = SafetensorsFile.Open(Path.Combine(checkpoint.Folder, TensorFile));
        var done = checked((int)checkpoint.Step);
        foreach (var (name, tensor) in Done(done))
            tensor.copy_(file.View(name));
        errors.AddRange(file.View(ErrorsName).data<double>().ToArray());
        runner.Resume(done, file.View(HiddenName));
        stage.Log($"goes on after block {done}");
    }

    /// <summary>What is trained of the first blocks.</summary>
    private IEnumerable<(string Name, Tensor Tensor)> Done(int blocks) => model.Blocks.Take(blocks)
        .SelectMany((block, index) => Trained(block).Select((tensor, place) => ($"block.{index:d4}.{place:d4}", tensor)));
}
