using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Tests.Torch;

public sealed class DtypeTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Theory, Devices]
    public void Rounds_to_bfloat16_and_back_as_CSharp_does(string device)
    {
        float[] values = [0f, 1f, -1.0078125f, 3.14159265f, 1e-40f, 3.3e38f, 1.00390625f, 1.01171875f, float.NaN];

        var there = tensor(values, device: device).bfloat16();
        var back = there.@float().cpu().data<float>().ToArray();

        Assert.Equal(values.Select(value => (float)(BFloat16)value), back);
        Assert.Equal(values.Select(value => (BFloat16)value).SkipLast(1), there.data<BFloat16>().ToArray().SkipLast(1));
        Assert.Equal(2, there.element_size());
    }

    [Theory, Devices]
    public void Rounds_to_float16_and_back_as_CSharp_does(string device)
    {
        float[] values = [0f, 1f, -2.5f, 3.14159265f, 6e-8f, 65504f, 70000f];

        var there = tensor(values, device: device).half();

        Assert.Equal(values.Select(value => (Half)value), there.data<Half>().ToArray());
        Assert.Equal(values.Select(value => (float)(Half)value), there.@float().data<float>().ToArray());
    }

    [Fact]
    public void Holds_every_dtype_that_it_names()
    {
        Assert.Equal([1.5f], tensor([1.5f]).data<float>().ToArray());
        Assert.Equal([1.5], tensor([1.5]).data<double>().ToArray());
        Assert.Equal([-1L], tensor([-1L]).data<long>().ToArray());
        Assert.Equal([-1], tensor([-1]).data<int>().ToArray());
        Assert.Equal([(short)-1], tensor([(short)-1]).data<short>().ToArray());
        Assert.Equal([(sbyte)-1], tensor([(sbyte)-1]).data<sbyte>().ToArray());
        Assert.Equal([(byte)200], tensor([(byte)200]).data<byte>().ToArray());
        Assert.Equal([true, false], tensor([true, false]).data<bool>().ToArray());
        Assert.Equal([(Half)1.5f], tensor([(Half)1.5f]).data<Half>().ToArray());
        Assert.Equal([(BFloat16)1.5f], tensor([(BFloat16)1.5f]).data<BFloat16>().ToArray());
    }

    [Fact]
    public void Reads_single_elements_as_numbers()
    {
        Assert.Equal(1.5f, tensor(1.5f).item<float>());
        Assert.Equal(2.0, tensor(2).ToDouble());
        Assert.Equal(3L, tensor(3.0).ToInt64());
        Assert.True(tensor(1).ToBoolean());
        Assert.Equal(0.5, (double)tensor(0.5f).bfloat16());
        Assert.Throws<ArgumentException>(() => tensor([1f, 2f]).item<float>());
        Assert.Throws<ArgumentException>(() => tensor(1f).item<double>());
    }

    [Fact]
    public void Converts_only_where_it_must()
    {
        var x = tensor([1f, 2f]);

        Assert.Equal(x.DataPointer(), x.to(float32).DataPointer());
        Assert.NotEqual(x.DataPointer(), x.to(float32, copy: true).DataPointer());
        Assert.Equal(int64, x.to(int64).dtype);
        Assert.Equal(float64, (x + tensor([1.0, 2.0])).dtype);
        Assert.Equal(float32, (x * 2.5).dtype);
        x.to(float64, disposeAfter: true);
        Assert.True(x.IsInvalid);
    }

    [Fact]
    public void Reads_strided_tensors_in_row_major_order()
    {
        var x = arange(6).reshape(2, 3).t();

        Assert.Equal([0L, 3L, 1L, 4L, 2L, 5L], x.data<long>().ToArray());
        Assert.Equal(4L, x.data<long>()[1, 1]);
        Assert.Equal([0L, 3L, 1L, 4L, 2L, 5L], x.data<long>());
        Assert.Throws<ArgumentOutOfRangeException>(() => x.data<long>()[3, 0]);
        Assert.Throws<InvalidOperationException>(() => x.bytes.Length);
    }

    [Fact]
    public void Writes_and_reads_bytes_of_a_stream()
    {
        using var stream = new MemoryStream();
        var x = randn(100, 300);

        x.WriteBytesToStream(stream);
        stream.Position = 0;
        var y = empty(100, 300);
        y.ReadBytesFromStream(stream);

        Assert.True(x.Equals(y));
        Assert.Throws<EndOfStreamException>(() => y.ReadBytesFromStream(stream));
    }
}
