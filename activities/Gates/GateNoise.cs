using static TorchSharp.torch;

namespace Pipelines.Activities.Gates;

/// <summary>The noise of learned gates: all of it comes from a generator that the caller holds and can checkpoint.</summary>
public static class GateNoise
{
    // Kept off both ends, where logarithms are infinite: off 0 by what float32 holds, off 1 by its step there.
    private const double Lowest = 1e-20;
    private const double Highest = 1 - 1.0 / (1 << 24);

    /// <summary>
    /// The generator of one training step, on the CPU. It follows from the seed and the step alone, so a loop can go on from
    /// any step.
    /// </summary>
    public static Generator At(long seed, long step)
    {
        // SplitMix64's mixing (Steele et al., 2014): neighbouring seeds and steps have nothing in common.
        var mixed = unchecked((ulong)seed * 0x9E3779B97F4A7C15 + (ulong)step);
        mixed = unchecked((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9);
        mixed = unchecked((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB);
        return new Generator(mixed ^ (mixed >> 31), CPU);
    }

    /// <summary>
    /// Uniform in (0, 1), one per element of <paramref name="like"/>, on its device: float64 for float64, else float32. It
    /// is drawn on the generator's device, so that one on the CPU gives the same noise to every device.
    /// </summary>
    public static Tensor Uniform(Tensor like, Generator generator)
    {
        using var scope = NewDisposeScope();
        var dtype = like.dtype == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32;
        var drawn = rand(like.shape, dtype: dtype, device: generator.device, generator: generator);
        return drawn.clamp(Lowest, Highest).to(like.device).MoveToOuterDisposeScope();
    }

    /// <summary>Standard Gumbel, −ln(−ln u), of uniform noise.</summary>
    public static Tensor Gumbel(Tensor uniform)
    {
        using var scope = NewDisposeScope();
        return uniform.clamp(Lowest, Highest).log().neg().log().neg().MoveToOuterDisposeScope();
    }
}
