namespace Pipelines.Activities.Allocation;

/// <summary>
/// SplitMix64 (Steele et al., OOPSLA 2014): random numbers that are the same on every platform, from a seed and a stream.
/// </summary>
internal sealed class SplitMix
{
    private const ulong Step = 0x9E3779B97F4A7C15;
    private ulong state;

    public SplitMix(ulong seed, ulong stream)
    {
        state = seed;
        state = Next() ^ stream;
        state = Next();
    }

    public ulong Next()
    {
        var mixed = state += Step;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return mixed ^ (mixed >> 31);
    }

    /// <summary>From 0 to below <paramref name="count"/>, all as likely.</summary>
    public int Below(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        var limit = ulong.MaxValue - ulong.MaxValue % (ulong)count;
        ulong drawn;
        do
            drawn = Next();
        while (drawn >= limit);
        return (int)(drawn % (ulong)count);
    }

    /// <summary>From 0 to below 1, in steps of 2⁻⁵³.</summary>
    public double Share() => (Next() >> 11) * (1.0 / (1UL << 53));
}
