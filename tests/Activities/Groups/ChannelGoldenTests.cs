using System.Text.Json.Nodes;
using Pipelines.Activities.Classifying;
using Pipelines.Activities.Pruning;
using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities.Groups;

/// <summary>Kept channels and logits against those of Torch-Pruning 1.6.1 (golden/README.md).</summary>
public sealed class ChannelGoldenTests
{
    [Theory]
    [InlineData("magnitude_l2_global", GroupImportance.L2, GroupOrder.Global)]
    [InlineData("magnitude_l2_local", GroupImportance.L2, GroupOrder.Local)]
    [InlineData("taylor_local", GroupImportance.Taylor, GroupOrder.Local)]
    public void Scores_kept_channels_and_what_is_cut_are_the_references(string name, GroupImportance importance, GroupOrder order)
    {
        using var scope = NewDisposeScope();
        using var golden = Open(name);
        using var network = Source(golden);
        var (images, groups) = (golden.View("input"), Groups(name));
        using var gradients = ClassifierGradients.Of(network, [new ImageBatch(images, golden.View("labels"), null, 1)]);
        using var ungraded = no_grad();
        Assert.InRange(Distance(network.Forward(images), golden.View("logits_before")), 0, 1e-5);

        var kept = ChannelPrune.Decide(
            network, parameter => gradients[parameter], new ChannelPrune.Parameters(0.5, ChannelTarget.Channels, importance, Ranking: order));

        Assert.Equal(groups.Count, kept.Count);
        foreach (var (index, group) in groups.Index())
        {
            var site = Site(network, group);
            var scores = GroupScores.Of(site, importance, parameter => gradients[parameter], seed: 0, stream: 0);
            Assert.InRange(Distance(tensor(scores).to(ScalarType.Float32), golden.View($"imp.{index}")), 0, 1e-5);
            Assert.Equal(
                group["pruned_idxs"]!.AsArray().Select(unit => unit!.GetValue<int>()),
                Enumerable.Range(0, site.Count).Except(kept.Single(one => one.Name == site.Name).Units));
        }

        UnitCut.Keep([.. network.Sites().Zip(kept, (site, one) => ((UnitSite)site, one.Units))]);
        foreach (var (parameter, tensor) in network.NamedParameters().Concat(network.NamedBuffers()))
            Assert.True(tensor.Equals(golden.View($"pruned.{parameter}")), parameter);
        Assert.InRange(Distance(network.Forward(images), golden.View("logits_after")), 0, 1e-5);
    }

    [Fact]
    public void Neurons_of_a_language_model_are_scored_and_ranked_by_the_same_functions()
    {
        using var ungraded = no_grad();
        using var model = CausalFolder.Load(Golden.Path("models/llama-tiny-mha-trained"), CPU);
        var kept = JsonNode.Parse(File.ReadAllText(Golden.Path("prune/torchpruning_summary.json")))!["llama-tiny-mha-trained_0.25"]!["kept"]!;

        foreach (var site in model.Sites().Where(site => site.Kind == UnitKind.Neuron))
        {
            var scores = GroupScores.Of(site, GroupImportance.L2, null, seed: 0, stream: 0);

            Assert.Equal(
                kept[$"layers.{site.Block}.mlp.gate_proj"]!.AsArray().Select(unit => unit!.GetValue<int>()), new GroupRanking([scores], roundTo: 4).Local(0.25)[0]);
        }
    }

    private static SafetensorsFile Open(string name) =>
        SafetensorsFile.Open(Golden.Path($"prune/resnet-small/torchpruning_{name}.safetensors"));

    private static List<JsonNode> Groups(string name) =>
        [.. JsonNode.Parse(File.ReadAllText(Golden.Path("prune/torchpruning_summary.json")))![$"resnet-small_{name}"]!["groups"]!.AsArray().Select(group => group!)];

    private static ImageClassifier Source(SafetensorsFile golden) => new(
        SmallResNet.Config(),
        golden.Tensors.Keys.Where(name => name.StartsWith("src.", StringComparison.Ordinal)).Select(name => (name["src.".Length..], golden.View(name).clone())).ToArray());

    private static ChannelSite Site(ImageClassifier network, JsonNode group)
    {
        var root = $"{group["root"]!.GetValue<string>().Split(' ')[0]}.weight";
        return network.Sites().Single(site => site.Members.Any(member => member.Tensor.Name == root && member.Role == UnitRole.Output));
    }

    private static double Distance(Tensor one, Tensor other) => (one - other).abs().max().ToDouble();
}
