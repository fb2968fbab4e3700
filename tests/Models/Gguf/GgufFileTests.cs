using System.Text;
using Pipelines.Models;
using static TorchSharp.torch;

namespace Pipelines.Tests.Models;

public sealed class GgufFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("pipelines-gguf-").FullName;

    private string File_ => Path.Combine(folder, "model.gguf");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Keys_of_every_type_come_back()
    {
        KeyValuePair<string, GgufValue>[] values =
        [
            .. new (GgufValueType Type, Int128 Least, Int128 Most)[]
            {
                (GgufValueType.UInt8, 0, byte.MaxValue), (GgufValueType.Int8, sbyte.MinValue, sbyte.MaxValue),
                (GgufValueType.UInt16, 0, ushort.MaxValue), (GgufValueType.Int16, short.MinValue, short.MaxValue),
                (GgufValueType.UInt32, 0, uint.MaxValue), (GgufValueType.Int32, int.MinValue, int.MaxValue),
                (GgufValueType.UInt64, 0, ulong.MaxValue), (GgufValueType.Int64, long.MinValue, long.MaxValue),
            }.Select(range => KeyValuePair.Create<string, GgufValue>(
                $"{range.Type}", new GgufValue.List(range.Type, [new GgufValue.Whole(range.Type, range.Least), new GgufValue.Whole(range.Type, range.Most)]))),
            new("single", GgufValue.Of(float.MinValue)),
            new("double", new GgufValue.Real(GgufValueType.Float64, double.Epsilon)),
            new("no", GgufValue.Of(false)),
            new("text", GgufValue.Of("naïve 漢字 𝄞")),
            new("none", new GgufValue.List(GgufValueType.String, [])),
            new("lists", new GgufValue.List(GgufValueType.Array, [GgufValue.Of(["a"]), GgufValue.Of([1])])),
        ];

        GgufWriter.Write(File_, values, []);

        using var file = GgufFile.Open(File_);
        Assert.Equal(values, (IEnumerable<KeyValuePair<string, GgufValue>>)file.Values);
        Assert.Empty(file.Tensors);
    }

    [Fact]
    public void Tensors_of_every_shape_come_back_and_views_outlive_the_file()
    {
        using var scope = NewDisposeScope();
        Tensor[] tensors = [arange(3f), arange(120f).view(2, 3, 4, 5), tensor(7f), zeros([0, 4]), ones([5, 32])];

        GgufWriter.Write(
            File_, [new("general.alignment", GgufValue.Of(64))],
            tensors.Index().Select(tensor => GgufSource.Of($"{tensor.Index}", tensor.Item, GgufType.F32)));
        var file = GgufFile.Open(File_);
        var views = tensors.Index().Select(tensor => file.View($"{tensor.Index}")).ToArray();
        file.Dispose();

        foreach (var (written, read) in tensors.Zip(views))
        {
            Assert.Equal(written.shape, read.shape);
            Assert.True(written.Equals(read));
        }
    }

    [Fact]
    public void Q8_rounds_halves_away_from_zero()
    {
        using var scope = NewDisposeScope();
        var values = zeros(32);
        // With 127 the scale is 1.
        values[TensorIndex.Slice(0, 6)] = tensor(new[] { 127f, 0.5f, -0.5f, 1.5f, -2.5f, 0.49f });

        var encoded = GgufSource.Of("w", values, GgufType.Q8_0).Read().data<byte>().ToArray();

        Assert.Equal(BitConverter.GetBytes((Half)1), encoded[..2]);
        Assert.Equal([127, 1, -1, 2, -3, 0], encoded[2..8].Select(code => (sbyte)code));
    }

    [Fact]
    public void Q8_of_hardly_anything_is_zero()
    {
        using var scope = NewDisposeScope();

        var encoded = GgufSource.Of("w", full([64], 1e-42f), GgufType.Q8_0).Read();

        Assert.Equal(68, encoded.numel());
        Assert.Equal(0, encoded.count_nonzero().ToInt64());
    }

    [Theory]
    [InlineData(GgufType.F16, 65520f, "'w' holds values up to")]
    [InlineData(GgufType.Q8_0, 1e7f, "'w' holds values up to")]
    [InlineData(GgufType.F32, float.NaN, "'w' holds NaN or infinity")]
    [InlineData(GgufType.Q8_0, float.NegativeInfinity, "'w' holds NaN or infinity")]
    public void A_value_that_a_type_does_not_hold_is_refused_and_nothing_is_left(GgufType type, float value, string says)
    {
        var error = Assert.Throws<GgufException>(() => GgufWriter.Write(File_, [], [GgufSource.Of("w", full([32], value), type)]));

        Assert.Contains(says, error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(folder));
    }

    [Fact]
    public void Names_that_are_there_twice_or_too_long_and_rows_of_half_blocks_are_refused()
    {
        using var scope = NewDisposeScope();
        GgufSource Named(string name) => GgufSource.Of(name, ones(2), GgufType.F32);

        Refused("the key 'a' is there twice", [new("a", GgufValue.Of(1)), new("a", GgufValue.Of(2))], []);
        Refused("tensor 'a' is there twice", [], [Named("a"), Named("a")]);
        Refused("longer than 63 bytes", [], [Named(new string('é', 32))]);
        Refused("does not fit Q8_0", [], [GgufSource.Of("w", ones([32, 48]), GgufType.Q8_0)]);
        GgufWriter.Write(File_, [], [Named(new string('a', 63))]);

        void Refused(string says, KeyValuePair<string, GgufValue>[] values, GgufSource[] tensors) => Assert.Contains(
            says, Assert.Throws<GgufException>(() => GgufWriter.Write(File_, values, tensors)).Message, StringComparison.Ordinal);
    }

    /// <summary>Every prefix of a good file is refused, none is read as another file, and none ends the process.</summary>
    [Fact]
    public void A_file_that_is_cut_off_anywhere_is_refused()
    {
        GgufWriter.Write(
            File_, [new("a", GgufValue.Of(["b", "c"])), new("d", GgufValue.Of(1f))],
            [GgufSource.Of("v", ones(3), GgufType.F32), GgufSource.Of("w", ones([2, 32]), GgufType.Q8_0)]);
        var whole = File.ReadAllBytes(File_);
        // The padding after the last tensor may be missing: 68 of 96 bytes.
        var needed = whole.Length - 28;

        for (var length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(File_, whole[..length]);
            if (length >= needed)
                GgufFile.Open(File_).Dispose();
            else
                Assert.StartsWith(File_, Assert.Throws<GgufException>(() => GgufFile.Open(File_)).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Lies))]
    public void A_header_that_lies_is_refused(string says, byte[] bytes)
    {
        File.WriteAllBytes(File_, bytes);

        var error = Assert.Throws<GgufException>(() => GgufFile.Open(File_));

        Assert.StartsWith(File_, error.Message, StringComparison.Ordinal);
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, byte[]> Lies() => new()
    {
        { "does not begin with 'GGUF'", [.. "GGML"u8, .. new byte[20]] },
        { "the version is 1", [.. "GGUF"u8, 1, 0, 0, 0, .. new byte[16]] },
        { "big-endian", [.. "GGUF"u8, 0, 0, 0, 3, .. new byte[16]] },
        { "the file is cut off", Header(ulong.MaxValue, 0, []) },
        { "takes 18446744073709551615 bytes", Header(0, 1, [.. Number(ulong.MaxValue)]) },
        { "has the type 13", Header(0, 1, [.. Text("k"), .. Word(13)]) },
        { "is the boolean 2", Header(0, 1, [.. Text("k"), .. Word(7), 2]) },
        { "is not UTF-8", Header(0, 1, [.. Text("k"), .. Word(8), .. Number(1), 0xFF]) },
        { "claims 1152921504606846976 items", Header(0, 1, [.. Text("k"), .. Word(9), .. Word(4), .. Number(1UL << 60)]) },
        { "is a list in a list, 4 deep", Header(0, 1, [.. Text("k"), .. Word(9), .. Nested(5)]) },
        { "the key 'k' is there twice", Header(0, 2, [.. Text("k"), .. Word(7), 1, .. Text("k"), .. Word(7), 1]) },
        { "general.alignment is 0", Header(0, 1, [.. Text("general.alignment"), .. Word(4), .. Word(0)]) },
        { "general.alignment is 24", Header(0, 1, [.. Text("general.alignment"), .. Word(4), .. Word(24)]) },
        { "general.alignment is \"x\"", Header(0, 1, [.. Text("general.alignment"), .. Word(8), .. Text("x")]) },
        { "has 5 axes", Header(1, 0, [.. Text("w"), .. Word(5)]) },
        { "has an axis of", Header(1, 0, Tensor("w", 0, 0, ulong.MaxValue)) },
        { "larger than any file", Header(1, 0, Tensor("w", 0, 0, 1UL << 40, 1UL << 40)) },
        { "has the type 4, which is not known here", Header(1, 0, Tensor("w", 4, 0, 1)) },
        { "expected a multiple of 32", Header(1, 0, Tensor("w", 8, 0, 48)) },
        { "begins at 32: expected 0, there is a hole", Header(1, 0, Tensor("w", 0, 32, 1)) },
        { "begins at 0: expected 32, it overlaps", Header(2, 0, [.. Tensor("v", 0, 0, 1), .. Tensor("w", 0, 0, 1)], data: 64) },
        { "tensor 'w' is there twice", Header(2, 0, [.. Tensor("w", 0, 0, 1), .. Tensor("w", 0, 32, 1)], data: 64) },
        { "tensor 'w' ends at 112, but only 64 bytes", Header(1, 0, Tensor("w", 0, 0, 28), data: 64) },
        { "tensor 'w' ends at 400, but only 128 bytes", Header(1, 0, Tensor("w", 0, 0, 100), data: 64) },
        { "32 bytes follow the last tensor", Header(1, 0, Tensor("w", 0, 0, 1), data: 64) },
    };

    private static byte[] Header(ulong tensors, ulong values, byte[] rest, int data = 0)
    {
        byte[] header = [.. "GGUF"u8, .. Word(3), .. Number(tensors), .. Number(values), .. rest];
        return [.. header, .. new byte[data == 0 ? 0 : (32 - header.Length % 32) % 32 + data]];
    }

    private static byte[] Tensor(string name, uint type, ulong offset, params ulong[] sizes) =>
        [.. Text(name), .. Word((uint)sizes.Length), .. sizes.SelectMany(Number), .. Word(type), .. Number(offset)];

    private static byte[] Nested(int depth) => depth == 0 ? [] : [.. Word(9), .. Number(1), .. Nested(depth - 1)];

    private static byte[] Text(string text) => [.. Number((ulong)text.Length), .. Encoding.ASCII.GetBytes(text)];

    private static byte[] Word(uint value) => BitConverter.GetBytes(value);

    private static byte[] Number(ulong value) => BitConverter.GetBytes(value);
}
