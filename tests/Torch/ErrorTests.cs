using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Tests.Torch;

public sealed class ErrorTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void A_tensor_of_several_elements_or_none_is_no_number()
    {
        using var scope = NewDisposeScope();

        Assert.Contains("has 2 elements", Assert.Throws<ArgumentException>(() => ones(2).ToBoolean()).Message, StringComparison.Ordinal);
        Assert.Contains("has 0 elements", Assert.Throws<ArgumentException>(() => zeros([0, 4]).ToDouble()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_the_operator_the_shapes_the_dtypes_and_the_reason()
    {
        var error = Assert.ThrowsAny<ExternalException>(() => zeros(2, 4).matmul(zeros(3, 4)));

        Assert.Equal(
            "aten::matmul: [2,4] float32 x [3,4] float32: mat1 and mat2 shapes cannot be multiplied (2x4 and 3x4)",
            error.Message);
    }

    [Fact]
    public void Names_the_tensors_of_a_list()
    {
        var error = Assert.ThrowsAny<ExternalException>(() => cat([zeros(2, 4), zeros([3, 5], int64)]));

        Assert.StartsWith(
            "aten::cat: [2,4] float32 x [3,5] int64: Sizes of tensors must match", error.Message,
            StringComparison.Ordinal);
        Assert.DoesNotContain("Exception raised from", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Says_which_argument_has_the_wrong_type()
    {
        var error = Assert.ThrowsAny<ExternalException>(
            () => Pipelines.Torch.Extensions.Call("aten::narrow", zeros(3), 0, "x", 1));

        Assert.Equal("aten::narrow: [3] float32: argument 'start' cannot be a string", error.Message);
    }

    [Fact]
    public void Says_which_argument_is_missing()
    {
        var error = Assert.ThrowsAny<ExternalException>(
            () => Pipelines.Torch.Extensions.Call("aten::narrow", zeros(3)));

        Assert.Equal("aten::narrow: [3] float32: argument 'dim' cannot be left out", error.Message);
    }

    [Fact]
    public void Says_that_there_is_no_such_operator()
    {
        var error = Assert.ThrowsAny<ExternalException>(() => Pipelines.Torch.Extensions.Call("aten::nonsense"));

        Assert.Equal($"aten::nonsense: LibTorch {__version__} has no such operator", error.Message);
    }

    [Fact]
    public void Stays_short_where_LibTorch_lists_its_backends()
    {
        var error = Assert.ThrowsAny<ExternalException>(
            () => Pipelines.Torch.Extensions.Call("aten::coalesce", zeros(2).to(META)));

        Assert.Equal(
            "aten::coalesce: [2] float32: Could not run 'aten::is_coalesced' with arguments from the 'Meta' backend.",
            error.Message);
    }

    [Fact]
    public void Refuses_a_disposed_tensor()
    {
        var x = zeros(2);
        x.Dispose();

        Assert.True(x.IsInvalid);
        Assert.Throws<ObjectDisposedException>(() => x + 1);
        Assert.Throws<ObjectDisposedException>(() => x.shape);
        Assert.Equal("disposed tensor", x.ToString());
        x.Dispose();
    }

    [Fact]
    public void Refuses_shapes_that_do_not_hold_the_values() =>
        Assert.Equal(
            "the shape [2,2] has 4 elements, 3 were given",
            Assert.Throws<ArgumentException>(() => tensor([1f, 2f, 3f], [2, 2])).Message);

    [Theory]
    [InlineData("gpu")]
    [InlineData("cuda:x")]
    [InlineData("cuda:0:1")]
    public void Refuses_devices_that_do_not_exist(string text)
    {
        var error = Assert.Throws<ArgumentException>(() => new Device(text));

        Assert.Contains(text, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Reads_devices()
    {
        Assert.Equal((DeviceType.CUDA, 1), (new Device("cuda:1").type, new Device("cuda:1").index));
        Assert.Equal("cuda:1", new Device("CUDA:1").ToString());
        Assert.Equal("cpu", zeros(1).device.ToString());
    }
}
