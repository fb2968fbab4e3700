namespace Pipelines.Activities.Allocation;

/// <summary>How a <see cref="LevelSearch"/> goes about it.</summary>
/// <param name="Offspring">Per generation.</param>
/// <param name="Stages">In order; the last leaves one.</param>
/// <param name="Mutations">Swaps per offspring: the lesser of two draws from 1 to this.</param>
/// <param name="Pool">Candidates to begin with: the start, and shuffles of it.</param>
/// <param name="PoolTokens">Tokens that they are judged on.</param>
public sealed record SearchOptions(
    int Generations, int Offspring, IReadOnlyList<SelectionStage> Stages, ulong Seed = 0, int Mutations = 3, int Pool = 1,
    long PoolTokens = 2048)
{
    /// <summary>The released defaults for sparsity per linear.</summary>
    public static SearchOptions Sparsity { get; } = new(400, 64, [new(8, 2048), new(2, 16384), new(1, 65536)]);

    /// <summary>The released defaults for removing <paramref name="removed"/> of <paramref name="blocks"/> blocks.</summary>
    public static SearchOptions Depth(int blocks, int removed) => new(
        Math.Max(1, (int)(removed * (blocks - removed) / 1.5)), 32, [new(2, 2048), new(1, 32768)], Pool: 64);

    /// <exception cref="ArgumentException">The stages do not narrow down to one, or a count is not positive.</exception>
    internal void Check()
    {
        if (Generations < 0 || Offspring < 1 || Mutations < 1 || Pool < 1)
            throw new ArgumentException("generations, offspring, mutations and pool must be positive");
        if (Stages.Count == 0 || Stages[^1].Survivors != 1 || Stages.Any(stage => stage.Survivors < 1))
            throw new ArgumentException("the stages must leave one candidate at the end, and at least one before");
    }
}

/// <param name="Survivors">Candidates that go on.</param>
/// <param name="Tokens">What they are judged on.</param>
public sealed record SelectionStage(int Survivors, long Tokens);
