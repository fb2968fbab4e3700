using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using static TorchSharp.torch;

namespace Pipelines.Tests.Models;

/// <summary>Against bytes that ggml wrote itself (golden/README.md).</summary>
public sealed class GgufGoldenTests : IDisposable
{
    private static readonly string[] Types =
        ["f32", "f16", "bf16", "q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "q2_K", "q3_K", "q4_K", "q5_K", "q6_K"];

    private readonly string folder = Directory.CreateTempSubdirectory("pipelines-gguf-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Reads_the_sample_of_ggml_whole()
    {
        using var scope = NewDisposeScope();
        using var file = GgufFile.Open(Golden.Path("formats/sample.gguf"));
        using var blocks = SafetensorsFile.Open(Golden.Path("formats/ggml_blocks.safetensors"));

        Assert.Equal(
            [
                new("general.architecture", GgufValue.Of("llama")),
                new("general.name", GgufValue.Of("golden sample")),
                new("llama.block_count", GgufValue.Of(4)),
                new("llama.attention.layer_norm_rms_epsilon", GgufValue.Of(1e-5f)),
                new("test.bool", GgufValue.Of(true)),
                new("test.u64", new GgufValue.Whole(GgufValueType.UInt64, 1234567890123)),
                new("test.i8", new GgufValue.Whole(GgufValueType.Int8, -5)),
                new("test.f64", new GgufValue.Real(GgufValueType.Float64, 2.5)),
                new("test.strs", GgufValue.Of(["a", "bc", "é"])),
                new("test.i32s", GgufValue.Of([1, -2, 3])),
            ],
            (IEnumerable<KeyValuePair<string, GgufValue>>)file.Values);
        Assert.Equal(Types.Select(type => $"blk.0.{type}.weight"), file.Tensors.Keys);
        foreach (var type in Types)
        {
            var entry = file.Tensors[$"blk.0.{type}.weight"];
            Assert.Equal(type, entry.Type.Name, ignoreCase: true);
            Assert.Equal([4, 512], entry.Shape);
            Assert.True(file.View(entry.Name).bytes.SequenceEqual(blocks.View($"{type}.bytes").bytes), type);
        }
    }

    [Theory]
    [InlineData(GgufType.F32, "f32")]
    [InlineData(GgufType.F16, "f16")]
    [InlineData(GgufType.BF16, "bf16")]
    [InlineData(GgufType.Q8_0, "q8_0")]
    public void Encodes_and_decodes_bit_for_bit_as_ggml(GgufType type, string name)
    {
        using var scope = NewDisposeScope();
        using var blocks = SafetensorsFile.Open(Golden.Path("formats/ggml_blocks.safetensors"));
        using var sample = GgufFile.Open(Golden.Path("formats/sample.gguf"));

        var encoded = GgufSource.Of("w", blocks.View("source"), type).Read();

        Assert.True(encoded.bytes.SequenceEqual(blocks.View($"{name}.bytes").bytes));
        Assert.True(sample.Floats($"blk.0.{name}.weight").Equals(blocks.View($"{name}.dequantized")));
    }

    [Fact]
    public void What_was_read_is_written_as_the_same_bytes()
    {
        using var file = GgufFile.Open(Golden.Path("formats/sample.gguf"));
        var copy = Path.Combine(folder, "copy.gguf");

        GgufWriter.Write(copy, file.Values, file.Tensors.Keys.Select(name => GgufSource.Of(file, name)));

        Assert.Equal(File.ReadAllBytes(file.Path), File.ReadAllBytes(copy));
    }
}
