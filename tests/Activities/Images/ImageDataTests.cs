using System.Text.Json;
using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities.Images;

/// <summary>Files of images as artifacts: what is read, what is taken of it, what is refused.</summary>
public sealed class ImageDataTests : IDisposable
{
    private readonly StageFolder stages = new();

    public void Dispose() => stages.Dispose();

    [Fact]
    public async Task Cifar_10_is_read_plane_by_plane()
    {
        var path = Write("some.bin", [.. TinyImages.Cifar([3]), .. TinyImages.Cifar([9], first: 7)]);

        var (info, pixels, labels) = await ReadAsync(new { path });

        Assert.Equal([2, 3, 32, 32], pixels.shape);
        Assert.Equal([3, 9], labels);
        Assert.Equal((7 + 2 * 1024 + 5 * 32 + 6) % 256, pixels[1, 2, 5, 6].item<byte>());
        Assert.Equal("cat", info.GetProperty("classes")[3].GetString());
        Assert.Equal([0, 0, 0, 1, 0, 0, 0, 0, 0, 1], info.GetProperty("counts").EnumerateArray().Select(count => count.GetInt64()));
    }

    [Theory]
    [InlineData(false, new long[] { 71, 0 })]
    [InlineData(true, new long[] { 4, 19 })]
    public async Task Cifar_100_has_two_labels(bool coarse, long[] expected)
    {
        var path = Write("train.bin", [.. TinyImages.Cifar([4, 71]), .. TinyImages.Cifar([19, 0])]);

        var (info, pixels, labels) = await ReadAsync(new { path = Path.GetDirectoryName(path), coarse });

        Assert.Equal(expected, labels);
        Assert.Equal(coarse ? 20 : 100, info.GetProperty("classes").GetArrayLength());
        Assert.Equal(0, pixels[0, 0, 0, 0].item<byte>());
    }

    [Fact]
    public async Task Both_parts_of_a_known_folder_are_found()
    {
        Write("test_batch.bin", TinyImages.Cifar([1]));
        foreach (var batch in Enumerable.Range(1, 5))
            Write($"data_batch_{batch}.bin", TinyImages.Cifar([(byte)batch]));

        var (_, _, train) = await ReadAsync(new { path = Folder });
        var (_, _, test) = await ReadAsync(new { path = Folder, part = "test" });

        Assert.Equal([1, 2, 3, 4, 5], train);
        Assert.Equal([1], test);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Idx_files_are_read_packed_or_not(bool packed)
    {
        var (images, labels) = (TinyImages.Idx([2, 2, 3], [.. Enumerable.Range(1, 12).Select(value => (byte)value)]), TinyImages.Idx([2], 7, 0));
        var ending = packed ? ".gz" : "";
        var path = Write($"t10k-images-idx3-ubyte{ending}", packed ? TinyImages.Gzip(images) : images);
        Write($"t10k-labels-idx1-ubyte{ending}", packed ? TinyImages.Gzip(labels) : labels);

        var (_, pixels, read) = await ReadAsync(new { path });
        var (_, same, _) = await ReadAsync(new { path = Folder, part = "test" });

        Assert.Equal([2, 1, 2, 3], pixels.shape);
        Assert.Equal([7, 0], read);
        Assert.Equal(8, pixels[1, 0, 0, 1].item<byte>());
        Assert.True(same.Equals(pixels));
    }

    [Fact]
    public async Task A_folder_has_a_class_for_each_folder_and_grey_images_become_coloured()
    {
        Write("b/1.png", TinyImages.Png(2, 1, 8, 0, [0, 10, 20]));
        Write("a/2.PNG", TinyImages.Png(2, 1, 8, 2, [0, 1, 2, 3, 4, 5, 6]));
        Write("a/notes.txt", [1]);

        var (info, pixels, labels) = await ReadAsync(new { path = Folder });

        Assert.Equal(["a", "b"], info.GetProperty("classes").EnumerateArray().Select(name => name.GetString()!));
        Assert.Equal([0, 1], labels);
        Assert.Equal<byte>([1, 4, 2, 5, 3, 6, 10, 20, 10, 20, 10, 20], [.. pixels.data<byte>()]);
    }

    [Fact]
    public async Task Images_are_brought_to_one_size_by_the_middle_square_and_means()
    {
        // Of 4 × 2 the outer columns are cut off: 2 3 / 6 7 is left, each of them four pixels now.
        Write("a/1.png", TinyImages.Png(4, 2, 8, 0, [0, 1, 2, 3, 4, 0, 5, 6, 7, 8]));
        Write("b/1.png", TinyImages.Png(8, 8, 8, 0, [.. Enumerable.Repeat<byte[]>([0, 9, 9, 9, 9, 9, 9, 9, 9], 8).SelectMany(row => row)]));

        var (_, pixels, _) = await ReadAsync(new { path = Folder, size = 4, grey = true });

        Assert.Equal([2, 1, 4, 4], pixels.shape);
        Assert.Equal<byte>([2, 2, 3, 3], [.. pixels[0, 0, 0].data<byte>()]);
        Assert.Equal<byte>([6, 6, 7, 7], [.. pixels[0, 0, 3].data<byte>()]);
        Assert.True(pixels[1].eq(9).all().ToBoolean());
    }

    [Fact]
    public async Task Classes_are_taken_in_the_order_that_they_are_named_and_a_draw_follows_its_seed()
    {
        var path = Write("some.bin", [.. Enumerable.Range(0, 60).SelectMany(i => TinyImages.Cifar([(byte)(i % 6)], first: i))]);

        var (info, _, labels) = await ReadAsync(new { path, classes = "5, bird", perClass = 4 });
        var (_, other, _) = await ReadAsync(new { path, classes = "bird", perClass = 4 });
        var (_, again, _) = await ReadAsync(new { path, classes = "bird", perClass = 4 });
        var (_, next, _) = await ReadAsync(new { path, classes = "bird", perClass = 4, seed = 1 });

        Assert.Equal(["dog", "bird"], info.GetProperty("classes").EnumerateArray().Select(name => name.GetString()!));
        Assert.Equal([4, 4], [labels.Count(label => label == 0), labels.Count(label => label == 1)]);
        Assert.True(other.Equals(again));
        Assert.False(other.Equals(next));
    }

    [Fact]
    public async Task A_damaged_set_is_refused_by_its_file_and_record()
    {
        await RefusedAsync("record 1 is cut off after 100", Write("a/cut.bin", [.. TinyImages.Cifar([1]), .. TinyImages.Cifar([1])[..100]]), "cifar10");
        await RefusedAsync("record 1 has the label 10: expected 0 to 9", Write("b/label.bin", [.. TinyImages.Cifar([1]), .. TinyImages.Cifar([10])]));
        await RefusedAsync("neither IDX", Write("c/what.bin", [1, 2, 3]));
        await RefusedAsync("is empty", Write("d/empty.bin", []));
        await RefusedAsync("there is no file or folder", Path.Combine(Folder, "nowhere"));
        await RefusedAsync("begins with 00000C03", Write("e/x-images-idx3-ubyte", [0, 0, 12, 3]), "idx", ("e/x-labels-idx1-ubyte", TinyImages.Idx([1], 0)));
        await RefusedAsync("record 1 is cut off", Write("f/x-images-idx3-ubyte", TinyImages.Idx([2, 2, 2], 1, 2, 3, 4, 5)), "idx", ("f/x-labels-idx1-ubyte", TinyImages.Idx([2], 0, 0)));
        await RefusedAsync("has 2 images", Write("g/x-images-idx3-ubyte", TinyImages.Idx([2, 1, 1], 1, 2)), "idx", ("g/x-labels-idx1-ubyte", TinyImages.Idx([1], 0)));
        await RefusedAsync("beside it: set 'labels'", Write("h/x-images-idx3-ubyte", TinyImages.Idx([2, 1, 1], 1, 2)));
        await RefusedAsync("the gzip is damaged", Write("i/x-images-idx3-ubyte.gz", TinyImages.Gzip(TinyImages.Idx([2, 1, 1], 1, 2))[..^6]), "idx", ("i/x-labels-idx1-ubyte", TinyImages.Idx([2], 0, 0)));
        Write("j/good/1.png", TinyImages.Png(1, 1, 8, 0, [0, 1]));
        await RefusedAsync("only PNG is read", Path.GetDirectoryName(Path.GetDirectoryName(Write("j/bad/1.jpg", [1])))!);
        Write("k/good/1.png", TinyImages.Png(1, 1, 8, 0, [0, 1]));
        await RefusedAsync("a class without images", Path.GetDirectoryName(Path.GetDirectoryName(Write("k/bad/1.txt", [1])))!);
        Write("l/a/1.png", TinyImages.Png(1, 1, 8, 0, [0, 1]));
        await RefusedAsync("2.png is 2×1×3, ", Path.GetDirectoryName(Path.GetDirectoryName(Write("l/a/2.png", TinyImages.Png(2, 1, 8, 0, [0, 1, 1]))))!);
    }

    [Theory]
    [InlineData("whale", null, "no class 'whale': expected one of airplane")]
    [InlineData("cat, 3", null, "named twice")]
    [InlineData("dog", null, "'dog' has 0 images")]
    [InlineData("cat", 3, "'cat' has 2 images: expected at least 3")]
    [InlineData(" , ", null, "names no class")]
    public async Task Classes_that_are_not_there_are_refused(string classes, int? perClass, string message)
    {
        var path = Write("some.bin", [.. TinyImages.Cifar([3]), .. TinyImages.Cifar([3])]);

        var error = await Assert.ThrowsAsync<StageException>(() => stages.RunAsync("data.images", new { path, classes, perClass }));

        Assert.Contains(message, error.Message);
    }

    private string Folder => Path.Combine(stages.Folder, "images");

    private string Write(string name, byte[] bytes)
    {
        var path = Path.Combine(Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    private async Task<(JsonElement Info, Tensor Pixels, long[] Labels)> ReadAsync(object parameters)
    {
        var images = (await stages.RunAsync("data.images", parameters)).GetProperty("images");
        var folder = await stages.OpenAsync(images);
        using var file = SafetensorsFile.Open(Path.Combine(folder, "images.safetensors"));
        var info = JsonElement.Parse(File.ReadAllText(Path.Combine(folder, "images.json")));
        var (pixels, labels) = (file.View("pixels"), file.View("labels").data<long>().ToArray());
        Assert.Equal((pixels.shape[0], info.GetProperty("classes").GetArrayLength()), (images.GetProperty("count").GetInt64(), images.GetProperty("classes").GetInt32()));
        return (info, pixels, labels);
    }

    private async Task RefusedAsync(string message, string path, string format = "auto", (string Name, byte[] Bytes)? beside = null)
    {
        if (beside is var (name, bytes))
            Write(name, bytes);
        var error = await Assert.ThrowsAsync<StageException>(() => stages.RunAsync("data.images", new { path, format }));
        Assert.Contains(message, error.Message);
        Assert.Contains(path, error.Message);
    }
}
