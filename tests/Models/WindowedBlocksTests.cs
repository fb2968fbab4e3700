using System.Text.Json.Nodes;
using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using static TorchSharp.torch;

namespace Pipelines.Tests.Models;

/// <summary>A Qwen2 whose upper blocks see a window of keys and whose lower ones see all, saved after it lost or gained blocks.</summary>
public sealed class WindowedBlocksTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("pipelines-windows-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>Four blocks, of which those from 2 on have windows.</summary>
    [Theory]
    [InlineData(new[] { 0 }, 1)]
    [InlineData(new[] { 0, 1 }, 0)]
    [InlineData(new[] { 1, 2 }, 1)]
    [InlineData(new[] { 3 }, 2)]
    public void Blocks_keep_their_windows_when_others_are_removed(int[] removed, int first)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = Create(2);
        model.RemoveBlocks(removed);

        Assert.False(CausalFolder.Save(model, folder));

        using var loaded = CausalFolder.Load(folder, CPU);
        Assert.True(model.Forward(TinyArchitectures.Prompt()).Equals(loaded.Forward(TinyArchitectures.Prompt())));
        Assert.Equal(first, Saved()["max_window_layers"]!.GetValue<int>());
        Assert.False(Saved().ContainsKey("layer_types"));
    }

    [Fact]
    public void A_removed_attention_has_no_window_to_keep()
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = Create(2);
        model.Blocks[2].RemoveAttention();
        model.RemoveBlocks([1]);

        CausalFolder.Save(model, folder);

        using var loaded = CausalFolder.Load(folder, CPU);
        Assert.Equal([false, null, true], loaded.Blocks.Select(block => block.Attention?.Windowed));
    }

    /// <summary>A repeated lower block stands between windows: no first block with one says that.</summary>
    [Fact]
    public void Windows_that_do_not_begin_at_a_block_are_listed()
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var generator = new Generator(1, CPU);
        using var model = Create(2);
        model.InsertBlock(3, SharedBlock.Repeat(model, 0, rank: 0, gamma: 0.5, generator));

        CausalFolder.Save(model, folder);

        using var loaded = CausalFolder.Load(folder, CPU);
        Assert.Equal([false, false, true, false, true], loaded.Blocks.Select(block => block.Attention!.Windowed));
        Assert.True(model.Forward(TinyArchitectures.Prompt()).Equals(loaded.Forward(TinyArchitectures.Prompt())));
    }

    [Fact]
    public void A_list_in_the_config_goes_before_the_number_and_loses_what_the_model_loses()
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        const string full = "full_attention", window = "sliding_attention";
        using var model = Create(4, full, window, full, window);
        Assert.Equal([false, true, false, true], model.Blocks.Select(block => block.Attention!.Windowed));
        model.RemoveBlocks([1]);

        Assert.False(CausalFolder.Save(model, folder));

        using var loaded = CausalFolder.Load(folder, CPU);
        Assert.True(model.Forward(TinyArchitectures.Prompt()).Equals(loaded.Forward(TinyArchitectures.Prompt())));
        Assert.Equal([full, full, window], Saved()["layer_types"]!.AsArray().Select(type => type!.GetValue<string>()));
    }

    [Theory]
    [InlineData("full_attention", "layer_types lists 1 blocks, but num_hidden_layers is 4")]
    [InlineData("linear_attention", "layer_types is [\"linear_attention\"]: expected full_attention or sliding_attention")]
    public void Refuses_a_list_that_it_cannot_follow(string type, string message) =>
        Assert.Contains(message, Assert.Throws<ModelException>(() => Create(2, type)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_model_whose_config_is_true_keeps_it()
    {
        using var model = Create(28);

        CausalFolder.Save(model, folder);

        Assert.Equal(28, Saved()["max_window_layers"]!.GetValue<int>());
    }

    /// <summary>Eight tokens, windows of three: who gets this wrong gets other logits.</summary>
    private static CausalLM Create(int first, params string[] types)
    {
        var config = TinyArchitectures.Config("qwen2");
        config["num_hidden_layers"] = 4;
        config["use_sliding_window"] = true;
        config["sliding_window"] = 3;
        config["max_window_layers"] = first;
        if (types.Length > 0)
            config["layer_types"] = new JsonArray([.. types.Select(type => (JsonNode)type)]);
        using var ungraded = no_grad();
        return CausalFolder.Create(CausalConfig.Parse("qwen2", config), seed: 3);
    }

    private JsonObject Saved() => JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "config.json")))!.AsObject();
}
