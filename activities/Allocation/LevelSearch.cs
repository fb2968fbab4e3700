namespace Pipelines.Activities.Allocation;

/// <summary>How bad levels are on a batch of tokens: what the search lessens.</summary>
public delegate double LevelFitness(IReadOnlyList<int> levels, FitnessBatch batch);

/// <summary>
/// EvoPress (Sieberling et al., arXiv:2410.14649): a (1 + λ) evolution over levels of constant budget. Offspring are sifted in
/// stages, fewer on more tokens each, and the parent joins the last: it is replaced only by what beats it there.
/// </summary>
/// <remarks>
/// Every generation draws from a stream of its own, so that generation and parent are the whole state: a search that is taken
/// up again goes on as if it had not stopped.
/// </remarks>
public static class LevelSearch
{
    // Small spaces run out of offspring that are new.
    private const int TriesPerOffspring = 10;

    /// <param name="resume">What an earlier run had got to; null to begin.</param>
    /// <param name="done">Is told after every generation, the initial pool as generation 0: to report and to keep the state.</param>
    /// <exception cref="ArgumentException">The state does not belong to this space, or the stages do not end with one.</exception>
    public static SearchState Run(
        LevelSpace space, SearchOptions options, LevelFitness fitness, SearchState? resume, Action<SearchState>? done,
        CancellationToken cancellation)
    {
        options.Check();
        if (resume is not null && !space.Contains(resume.Levels))
            throw new ArgumentException("the levels to go on from have another budget or other bounds than the space");
        var state = resume;
        if (state is null)
        {
            state = Begin(space, options, fitness, cancellation);
            done?.Invoke(state);
        }

        while (state.Generation < options.Generations)
        {
            state = Next(space, options, fitness, state, cancellation);
            done?.Invoke(state);
        }

        return state;
    }

    private static SearchState Begin(
        LevelSpace space, SearchOptions options, LevelFitness fitness, CancellationToken cancellation)
    {
        var random = new SplitMix(options.Seed, 0);
        List<int[]> pool = [[.. space.Start]];
        while (pool.Count < options.Pool)
            pool.Add(space.Shuffle(random));
        // With one candidate there is nothing to choose, and nothing to compare its fitness with.
        if (pool.Count == 1)
            return new SearchState(0, pool[0], null);
        var batch = new FitnessBatch(0, 0, options.PoolTokens, random.Next());
        var (levels, value) = Best(pool, 1, batch, fitness, cancellation)[0];
        return new SearchState(0, levels, Finite(value));
    }

    private static SearchState Next(
        LevelSpace space, SearchOptions options, LevelFitness fitness, SearchState state, CancellationToken cancellation)
    {
        var generation = state.Generation + 1;
        var random = new SplitMix(options.Seed, (ulong)generation);
        var parent = state.Levels.ToArray();
        var candidates = Offspring(space, options, parent, random);
        var value = double.PositiveInfinity;
        foreach (var (index, stage) in options.Stages.Index())
        {
            // First, so that of equals the parent stays.
            if (index == options.Stages.Count - 1)
                candidates.Insert(0, parent);
            if (candidates.Count == 0)
                continue;
            var batch = new FitnessBatch(generation, index, stage.Tokens, random.Next());
            var best = Best(candidates, stage.Survivors, batch, fitness, cancellation);
            candidates = [.. best.Select(one => one.Levels)];
            value = best[0].Fitness;
        }

        return new SearchState(generation, candidates[0], Finite(value));
    }

    /// <summary>Copies of the parent with a few swaps each, different from it and from each other.</summary>
    private static List<int[]> Offspring(LevelSpace space, SearchOptions options, int[] parent, SplitMix random)
    {
        var found = new List<int[]>();
        var seen = new HashSet<string> { Key(parent) };
        for (var tries = options.Offspring * TriesPerOffspring; tries > 0 && found.Count < options.Offspring; tries--)
        {
            var levels = parent.ToArray();
            var swaps = 1 + Math.Min(random.Below(options.Mutations), random.Below(options.Mutations));
            for (var swap = 0; swap < swaps; swap++)
                space.Swap(levels, random);
            if (seen.Add(Key(levels)))
                found.Add(levels);
        }

        return found;

        static string Key(int[] levels) => string.Join(',', levels);
    }

    // JSON has no infinity.
    private static double? Finite(double value) => double.IsFinite(value) ? value : null;

    /// <summary>The fittest, best first; of equals the earlier. What is not a number is worst.</summary>
    private static List<(int[] Levels, double Fitness)> Best(
        List<int[]> candidates, int count, FitnessBatch batch, LevelFitness fitness, CancellationToken cancellation)
    {
        var judged = new List<(int[] Levels, double Fitness)>();
        foreach (var levels in candidates)
        {
            cancellation.ThrowIfCancellationRequested();
            var value = fitness(levels, batch);
            judged.Add((levels, double.IsNaN(value) ? double.PositiveInfinity : value));
        }

        return [.. judged.OrderBy(one => one.Fitness).Take(count)];
    }
}

/// <summary>Tokens that all candidates of one stage are judged on.</summary>
/// <param name="Tokens">How many to draw.</param>
/// <param name="Seed">What to draw them by: another for every stage of every generation.</param>
public sealed record FitnessBatch(int Generation, int Stage, long Tokens, ulong Seed);

/// <summary>Where a search has got to; all that it takes to go on.</summary>
/// <param name="Levels">The parent of the next generation.</param>
/// <param name="Fitness">The parent's, on the last batch that it was judged on; null before the first, and for what is not finite.</param>
public sealed record SearchState(int Generation, IReadOnlyList<int> Levels, double? Fitness);
