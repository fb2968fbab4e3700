using System.Buffers.Binary;
using System.Text;
using Pipelines.Models;
using static TorchSharp.torch;

namespace Pipelines.Tests.Models;

public sealed class SafetensorsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("pipelines-safetensors-").FullName;

    private string File_ => Path.Combine(folder, "model.safetensors");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void The_same_tensors_give_the_same_bytes_in_whatever_order_they_come()
    {
        using var scope = NewDisposeScope();
        TensorSource[] tensors =
        [
            TensorSource.Of("b", tensor(new float[] { 1, 2 })), TensorSource.Of("a", tensor(new long[] { 3 })),
            TensorSource.Of("none", zeros([0, 4])), TensorSource.Of("scalar", tensor(5f)),
            TensorSource.Of("half", ones([3], dtype: ScalarType.BFloat16)), TensorSource.Of("flag", tensor(new[] { true, false })),
        ];

        SafetensorsWriter.Write(File_, tensors, new Dictionary<string, string> { ["z"] = "1", ["y"] = "2" });
        var first = File.ReadAllBytes(File_);
        SafetensorsWriter.Write(File_, tensors.Reverse(), new Dictionary<string, string> { ["y"] = "2", ["z"] = "1" });

        Assert.Equal(first, File.ReadAllBytes(File_));
        using var read = SafetensorsFile.Open(File_);
        foreach (var (name, written, _) in tensors)
        {
            Assert.True(read.View(name).Equals(written), name);
            Assert.Equal(written.shape, read.View(name).shape);
        }

        Assert.Equal("2", read.Metadata["y"]);
    }

    [Fact]
    public void A_view_outlives_the_file_that_it_was_taken_from()
    {
        SafetensorsWriter.Write(File_, [TensorSource.Of("w", arange(1000, dtype: ScalarType.Float32))]);
        using var file = SafetensorsFile.Open(File_);
        using var view = file.View("w");

        file.Dispose();

        Assert.Equal(499_500, view.sum().ToSingle());
    }

    [Theory]
    [InlineData("[1]", "does not begin with '{'")]
    [InlineData("{", "not the JSON that was expected")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "tensor 'w' is there twice")]
    [InlineData("""{"w":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}}""", "tensor 'w' has dtype F8_E4M3")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2]}}""", "expected dtype, shape and data_offsets")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"extra":1}}""", "field 'extra'")]
    [InlineData("""{"w":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", "no whole number from 0 on")]
    [InlineData("""{"w":{"dtype":"F32","shape":[1.5],"data_offsets":[0,8]}}""", "no whole number from 0 on")]
    [InlineData("""{"w":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}""", "larger than any file")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", "data_offsets are [8, 0]")]
    [InlineData("""{"w":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", "span 8 bytes, but F32 [3] takes 12")]
    [InlineData("""{"v":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "overlaps")]
    [InlineData("""{"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "there is a hole before it")]
    [InlineData("""{"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}""", "the file is cut off")]
    [InlineData("""{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "4 bytes follow the last tensor")]
    [InlineData("""{"__metadata__":{"a":1},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "__metadata__ 'a' is no text")]
    [InlineData("""{"w":{"dtype":[[[[[[[[[[1]]]]]]]]]],"shape":[2],"data_offsets":[0,8]}}""", "w")]
    public void A_header_that_lies_is_refused(string header, string says)
    {
        var json = Encoding.UTF8.GetBytes(header);
        WriteRaw((ulong)json.Length, [.. json, .. new byte[8]]);

        var error = Assert.Throws<SafetensorsException>(() => SafetensorsFile.Open(File_));

        Assert.StartsWith(File_, error.Message, StringComparison.Ordinal);
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_without_a_whole_header_is_refused()
    {
        File.WriteAllBytes(File_, [1, 2, 3]);
        Assert.Contains("3 bytes: expected at least 8", Refusal(), StringComparison.Ordinal);
        WriteRaw(ulong.MaxValue, new byte[16]);
        Assert.Contains("expected at most 100000000", Refusal(), StringComparison.Ordinal);
        WriteRaw(1000, new byte[16]);
        Assert.Contains("claims 1000 bytes, but only 16 follow", Refusal(), StringComparison.Ordinal);

        string Refusal() => Assert.Throws<SafetensorsException>(() => SafetensorsFile.Open(File_)).Message;
    }

    [Theory]
    [InlineData(null, "neither model.safetensors nor")]
    [InlineData("pytorch_model.bin", "is a pickle, which can run any code")]
    [InlineData("model.pt", "is a pickle, which can run any code")]
    public void A_folder_without_safetensors_is_refused(string? other, string says)
    {
        if (other is not null)
            File.WriteAllText(Path.Combine(folder, other), "");

        Assert.Contains(says, Assert.Throws<SafetensorsException>(() => SafetensorsFolder.Open(folder)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"weight_map":{"w":"../w.safetensors"}}""", "lies outside")]
    [InlineData("""{"weight_map":{"w":"absent.safetensors"}}""", "the shard absent.safetensors is missing")]
    [InlineData("""{"weight_map":{"v":"model.safetensors"}}""", "tensor 'v' should be in model.safetensors, but is not")]
    [InlineData("""{"weights":{}}""", "expected an object weight_map")]
    [InlineData("""[""", "expected an object weight_map")]
    public void An_index_that_lies_is_refused(string index, string says)
    {
        SafetensorsWriter.Write(File_, [TensorSource.Of("w", ones(2))]);
        File.WriteAllText(Path.Combine(folder, "model.safetensors.index.json"), index);

        Assert.Contains(says, Assert.Throws<SafetensorsException>(() => SafetensorsFolder.Open(folder)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_write_that_fails_leaves_nothing()
    {
        using var scope = NewDisposeScope();
        var gone = ones(4);
        gone.Dispose();

        Assert.ThrowsAny<Exception>(() => SafetensorsWriter.Write(File_, [TensorSource.Of("w", ones(2)), TensorSource.Of("gone", gone)]));
        Assert.Throws<SafetensorsException>(() => SafetensorsWriter.Write(File_, [TensorSource.Of("w", ones(2)), TensorSource.Of("w", ones(2))]));

        Assert.Empty(Directory.EnumerateFiles(folder));
    }

    private void WriteRaw(ulong length, byte[] rest)
    {
        var bytes = new byte[8 + rest.Length];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, length);
        rest.CopyTo(bytes, 8);
        File.WriteAllBytes(File_, bytes);
    }
}
