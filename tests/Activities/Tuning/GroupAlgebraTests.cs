using Pipelines.Activities.Gates;
using Pipelines.Activities.Tuning;
using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using Pipelines.Tests.Torch;
using Pipelines.Workflows;
using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities.Tuning;

/// <summary>What is done to groups of channels, on numbers worked by hand; and that the groups are those of every architecture.</summary>
public sealed class GroupAlgebraTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public static TheoryData<string, ChannelScope> Networks()
    {
        var all = new TheoryData<string, ChannelScope>();
        foreach (var name in new[] { "cifar-resnet-a", "cifar-resnet-b", "vgg16", "resnet18", "resnet50", "mobilenet-v2" })
        {
            all.Add(name, ChannelScope.Full);
            all.Add(name, ChannelScope.Inner);
        }

        return all;
    }

    public void Dispose() => scope.Dispose();

    [Fact]
    public void Closed_groups_are_shortened_by_a_length_and_end_at_zero()
    {
        var groups = tensor(new[] { 3f, 4, 0.3f, 0.4f, 6, 8 }, 3, 2);
        var closed = tensor(new[] { true, true, false });

        var shortened = GroupAlgebra.Shortened(groups, closed, by: 1);

        // Lengths 5, 0.5 and 10: to 4/5, to 0, and as it was.
        Near.Equal([2.4, 3.2, 0, 0, 6, 8], shortened, 1e-6);
        Assert.Equal(0, shortened[1].abs().max().ToDouble());
    }

    [Theory]
    [InlineData(3, 1)]
    [InlineData(4, 0.75)]
    [InlineData(5, 2 / 3.0)]
    [InlineData(6, 0.5)]
    [InlineData(7, 0)]
    [InlineData(8, 0)]
    public void What_must_be_zero_at_the_end_of_a_window_shrinks_by_the_same_length_in_each_step(int step, double factor) =>
        Assert.Equal(factor, GroupAlgebra.Shrink(step, from: 4, to: 8), 1e-12);

    [Fact]
    public void The_prunable_share_is_that_of_the_published_command()
    {
        // ResNet-50 by the authors' counter: 71.2 % of 4.12283 G, of which 3.63588 G can be pruned.
        Assert.Equal(0.193, ChannelSize.PrunableShare(4.12283, 3.63588, 0.712), 3);
        Assert.Equal(1, ChannelSize.PrunableShare(10, 4, 0), 1e-12);
        Assert.Equal(0, ChannelSize.PrunableShare(10, 4, 0.4), 1e-12);
    }

    [Theory]
    [InlineData(0.8, 0.4700036, 1.25)] // ln(0.8 / 0.5)
    [InlineData(0.2, 0.9162907, -5)] // ln(0.5 / 0.2)
    [InlineData(0.502, 0.0099503, 0)] // ln(0.505 / 0.5)
    [InlineData(0.498, 0.0100503, 0)] // ln(0.5 / 0.495)
    public void A_budget_costs_the_logarithm_of_what_it_is_off_and_rests_in_a_band(double share, double loss, double slope)
    {
        var size = tensor(share * 200, ScalarType.Float64).requires_grad_();
        var off = BudgetLoss.Banded(size, 200, 0.5, weight: 1);
        off.backward();

        Near.Equal(loss, off, 1e-6);
        Near.Equal(slope / 200, size.grad!, 1e-9);
        Near.Equal(4 * loss, BudgetLoss.Banded(size, 200, 0.5, weight: 4), 4e-6);
        Assert.Throws<ArgumentOutOfRangeException>(() => BudgetLoss.Banded(size, 200, 0.004, 1));
    }

    [Fact]
    public void The_inputs_of_the_network_that_chooses_are_at_right_angles()
    {
        var inputs = HyperShape.Ato.Inputs(5, 1, new Generator(3)).squeeze(1);
        var many = HyperShape.Ato.Inputs(70, 1, new Generator(3)).squeeze(1);

        Assert.InRange((inputs.mm(inputs.t()) - eye(5)).abs().max().ToDouble(), 0, 1e-5);
        Assert.InRange((many.t().mm(many) - eye(64)).abs().max().ToDouble(), 0, 1e-5);
        using var network = new HyperNetwork([4, 3], new Generator(1), CPU, shape: HyperShape.Ato);
        Assert.Equal([2, 1, 64], network.Named.First(one => one.Name == "inputs").Value.shape);
        Assert.Equal([4, 256], network.Named.First(one => one.Name == "linear_list_tp.0.weight").Value.shape);
        Assert.Equal([4L, 3L], network.Forward().Select(logits => logits.numel()));
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public void A_closed_group_can_be_cut_and_nothing_changes(string name, ChannelScope channels)
    {
        using var network = TinyClassifiers.Create(name);
        using var groups = new ChannelGroups(network, channels);
        var kept = groups.Sites.Select((site, index) => Enumerable.Range(0, site.Count).Where(unit => (unit + index) % 3 != 0).ToArray()).ToArray();
        var images = TinyClassifiers.Images(network.Config);
        using var ungraded = no_grad();
        var counted = groups.Size.Of([.. kept.Select(units => units.Length)]);
        var sized = groups.Size.Of([.. groups.Sites.Zip(kept, (site, units) => Gates(site.Count, units))]).ToDouble();
        Assert.Equal(1, (sized + groups.Size.Whole - groups.Size.Prunable) / counted, 1e-9);

        foreach (var (site, units) in kept.Index())
            groups.Close(site, groups.Others(site, units));
        var expected = network.Forward(images);
        Assert.All(kept.Index(), one => Assert.Equal(one.Item, Open(groups.Vectors(one.Index))));
        groups.Cut(kept, "hash", "tune.test", StageFolder.Unkept);

        Assert.Equal(counted, VisionFlops.Macs(network), 1e-6);
        Assert.InRange((network.Forward(images) - expected).abs().max().ToDouble(), 0, 1e-4 * Math.Max(1, expected.abs().max().ToDouble()));

        static IEnumerable<int> Open(Tensor vectors) =>
            vectors.abs().sum([1L]).data<float>().ToArray().Index().Where(unit => unit.Item > 0).Select(unit => unit.Index);

        static Tensor Gates(int count, int[] units) => zeros(count).index_fill_(0, tensor(units.Select(unit => (long)unit).ToArray()), 1);
    }

    [Fact]
    public void Groups_are_written_back_where_they_were_read()
    {
        using var network = TinyClassifiers.Create("mobilenet-v2");
        using var groups = new ChannelGroups(network, ChannelScope.Full);
        using var ungraded = no_grad();
        var before = network.NamedParameters().ToDictionary(one => one.Name, one => one.Tensor.clone());

        for (var site = 0; site < groups.Sites.Count; site++)
            groups.Put(site, groups.Vectors(site) * 2);

        // All that makes channels is doubled, and nothing else; depthwise filters, scales and shifts among it.
        Assert.All(network.NamedParameters(), one => Assert.True(
            one.Tensor.Equals(before[one.Name] * (one.Name.StartsWith("classifier", StringComparison.Ordinal) ? 1 : 2)), one.Name));
    }

    [Fact]
    public void Gates_are_frozen_to_the_budget_of_the_whole_network()
    {
        using var network = TinyClassifiers.Create("cifar-resnet-a");
        using var groups = new ChannelGroups(network, ChannelScope.Inner);
        using var generator = new Generator(1);
        var logits = groups.Counts.Select(count => randn(count, generator: generator)).ToArray();

        var open = groups.Freeze(logits, groups.Size.Budget(0.5));

        var share = groups.Size.Of([.. open.Select(units => units.Length)]) / groups.Size.Whole;
        Assert.InRange(share, 0.49, 0.5);
        Assert.All(open, units => Assert.NotEmpty(units));
        Assert.Contains("of the multiply-adds are left", Assert.Throws<StageException>(() => groups.Size.Budget(0.99)).Message);
    }
}
