using System.Text;
using System.Text.Json.Nodes;
using Pipelines.Activities.Gates;
using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities.Gates;

/// <summary>DISP-LLM's hypernetwork, gates and budget against the published code's numbers (golden/README.md).</summary>
public sealed class HyperNetworkTests : IDisposable
{
    private const string Model = "llama-tiny-trained";

    // The reference gives q_proj the width of k_proj (it means MHA), and counts 2 KV heads of 16 for it as well.
    private static readonly DispLlmLayer Counted = DispLlmLayer.Gated(64, 32, 32, 176);

    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void Gives_the_references_gates_for_its_parameters_and_noise()
    {
        using var golden = Open();
        using var network = new HyperNetwork(Structures(), new Generator(1), CPU);
        network.Load(name => golden.View($"hn.param.{name}"));
        var gate = new GumbelSigmoid();

        var logits = network.Forward();

        Assert.Equal(20, logits.Length);
        for (var i = 0; i < logits.Length; i++)
        {
            var uniform = golden.View($"hn.uniform.{i}").view(-1);
            Assert.InRange(Apart(golden.View($"hn.train.{i}"), gate.SoftAt(logits[i], uniform)), 0, 1e-6);
            Assert.Equal(0, Apart(golden.View($"hn.eval.{i}"), gate.At(logits[i], uniform)));
        }
    }

    [Theory]
    [InlineData("hard", "reg_loss_hard")]
    [InlineData("soft", "reg_loss_soft")]
    public void Costs_what_the_references_regulariser_costs(string gates, string loss)
    {
        using var golden = Open();
        var summary = Summary();
        DispLlmLayer[] layers = [Counted, Counted, Counted, Counted];
        Assert.Equal(Structures(), layers.SelectMany(layer => layer.GateSizes));
        var full = layers.Sum(layer => layer.FullSize);

        var size = DispLlmLayer.Size(layers, [.. Enumerable.Range(0, 20).Select(i => golden.View($"gates.{gates}.{i}"))]);

        Assert.Equal(summary["sum_ori_params"]!.GetValue<long>(), full);
        var found = BudgetLoss.LogRatio(size, full, kept: 0.5, weight: 16).ToDouble();
        Assert.Equal(1, found / summary[loss]!.GetValue<double>(), 2e-6);
    }

    [Fact]
    public void Starts_alike_for_a_seed_and_gives_gradients_to_all_that_it_trains()
    {
        long[] sizes = [4, 3, 5];
        using var first = new HyperNetwork(sizes, new Generator(7), CPU);
        using var second = new HyperNetwork(sizes, new Generator(7), CPU);
        using var third = new HyperNetwork(sizes, new Generator(8), CPU);

        var logits = first.Forward();
        cat(logits).square().sum().backward();

        Assert.Equal(sizes, logits.Select(one => one.numel()));
        Assert.True(cat(logits).Equals(cat(second.Forward())));
        Assert.False(cat(logits).Equals(cat(third.Forward())));
        Assert.All(first.Trained, parameter => Assert.True(parameter.grad!.abs().max().ToDouble() > 0));
        Assert.Equal(first.Named.Count, first.Trained.Count + 1);
        Assert.Null(first.Named.Single(one => one.Name == "inputs").Value.grad);
    }

    [Fact]
    public void Takes_over_what_another_has_and_refuses_what_does_not_fit()
    {
        using var first = new HyperNetwork([4, 3], new Generator(1), CPU);
        using var second = new HyperNetwork([4, 3], new Generator(2), CPU);
        using var wider = new HyperNetwork([4, 5], new Generator(3), CPU);

        second.Load(name => first.Named.Single(one => one.Name == name).Value);

        Assert.True(cat(first.Forward()).Equals(cat(second.Forward())));
        var error = Assert.Throws<ArgumentException>(
            () => wider.Load(name => first.Named.Single(one => one.Name == name).Value));
        Assert.Equal("linear_list_tp.1.weight: [3,128]: expected [5,128]", error.Message);
    }

    [Fact]
    public void The_budget_alone_trains_it_to_its_size_which_it_keeps_when_frozen()
    {
        var layer = DispLlmLayer.Gated(64, 64, 32, 176);
        using var generator = new Generator(5);
        using var network = new HyperNetwork(layer.GateSizes, generator, CPU);
        using var optimizer = optim.AdamW(network.Trained, 1e-3, weight_decay: 0.05);
        var gate = new GumbelSigmoid();
        var size = double.NaN;
        for (var step = 0; step < 150; step++)
        {
            using var inner = NewDisposeScope();
            optimizer.zero_grad();
            var total = layer.Size([.. network.Forward().Select(logits => gate.Sample(logits, generator))]);
            BudgetLoss.LogRatio(total, layer.FullSize, kept: 0.5, weight: 16).backward();
            optimizer.step();
            size = total.ToDouble() / layer.FullSize;
        }

        Assert.Equal(0.5, size, 0.05);
        var frozen = network.Forward().Select(logits => gate.Freeze(logits).Length).ToArray();
        var kept = layer.Size([.. frozen.Select(count => ones(count))]).ToDouble() / layer.FullSize;
        TestContext.Current.SendDiagnosticMessage($"sampled {size:f3}, frozen {kept:f3} ({string.Join(' ', frozen)})");
        Assert.InRange(kept, 0.2, 0.8);
    }

    [Fact]
    public void Goes_on_with_the_same_bits_from_parameters_optimizer_and_generator()
    {
        using var file = new MemoryStream();
        var whole = new Training();
        whole.Run(3);
        using (var writer = new BinaryWriter(file, Encoding.UTF8, leaveOpen: true))
            whole.Optimizer.save_state_dict(writer);
        using var state = whole.Generator.get_state();
        var halfway = whole.Network.Named.ToDictionary(one => one.Name, one => one.Value.detach().clone());
        whole.Run(3);

        var resumed = new Training();
        resumed.Network.Load(name => halfway[name]);
        resumed.Generator.set_state(state);
        file.Position = 0;
        resumed.Optimizer.load_state_dict(new BinaryReader(file));
        resumed.Run(3);

        Assert.All(
            whole.Network.Named.Zip(resumed.Network.Named), pair => Assert.True(pair.First.Value.Equals(pair.Second.Value)));
        Assert.False(whole.Network.Trained[0].Equals(halfway["bi_GRU.weight_ih_l0"]));
    }

    private static double Apart(Tensor expected, Tensor actual) => (expected - actual).abs().max().ToDouble();

    private static SafetensorsFile Open() => SafetensorsFile.Open(Golden.Path($"prune/{Model}/displlm.safetensors"));

    private static JsonNode Summary() =>
        JsonNode.Parse(File.ReadAllText(Golden.Path("prune/displlm_summary.json")))![Model]!;

    private static IReadOnlyList<long> Structures() =>
        [.. Summary()["structures"]!.AsArray().Select(size => size!.GetValue<long>())];

    /// <summary>Of the budget alone, all from one generator.</summary>
    private sealed class Training
    {
        private static readonly DispLlmLayer Layer = DispLlmLayer.Gated(8, 8, 4, 12);

        public Training()
        {
            Network = new HyperNetwork(Layer.GateSizes, Generator, CPU);
            Optimizer = optim.AdamW(Network.Trained, 1e-2);
        }

        public Generator Generator { get; } = new(9);

        public HyperNetwork Network { get; }

        public OptimizerHelper Optimizer { get; }

        public void Run(int steps)
        {
            for (var step = 0; step < steps; step++)
            {
                Optimizer.zero_grad();
                var gates = Network.Forward().Select(logits => new GumbelSigmoid().Sample(logits, Generator));
                BudgetLoss.LogRatio(Layer.Size([.. gates]), Layer.FullSize, 0.3, 16).backward();
                Optimizer.step();
            }
        }
    }
}
