using static TorchSharp.torch;

namespace Pipelines.Tests.Torch;

internal static class Near
{
    /// <summary>Same number of elements, each within the tolerance (NaN and infinities match themselves).</summary>
    public static void Equal(double[] expected, Tensor actual, double tolerance = 1e-6)
    {
        using var onCpu = actual.cpu();
        using var plain = onCpu.@double();
        var values = plain.data<double>().ToArray();
        Assert.Equal(expected.Length, values.Length);
        for (var i = 0; i < values.Length; i++)
        {
            if (!expected[i].Equals(values[i]))
                Assert.Equal(expected[i], values[i], tolerance);
        }
    }

    public static void Equal(double expected, Tensor actual, double tolerance = 1e-6) =>
        Equal([expected], actual, tolerance);
}
