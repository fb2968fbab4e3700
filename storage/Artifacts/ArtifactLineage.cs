using Microsoft.EntityFrameworkCore;

namespace Pipelines.Storage.Artifacts;

/// <summary>What an artifact came from, and what came from it.</summary>
/// <param name="Stages">Those that computed; stages that reused a result are not among them.</param>
/// <param name="Edges">From what was there first.</param>
/// <param name="Truncated">Whether there is more than is listed.</param>
internal sealed record Lineage(
    IReadOnlyList<string> Artifacts, IReadOnlyList<LineageStage> Stages, IReadOnlyList<LineageEdge> Edges, bool Truncated);

/// <param name="Id">Its run and its id, with a slash between.</param>
internal sealed record LineageStage(string Id, Guid Run, string Workflow, string Stage, string Kind, DateTimeOffset? Finished);

/// <param name="From">An artifact's hash, or a stage's <see cref="LineageStage.Id"/>.</param>
internal sealed record LineageEdge(string From, string To);

/// <summary>Follows artifacts through the stages that made and read them.</summary>
internal sealed class ArtifactLineage(Database database)
{
    private const int MostMakers = 50;

    /// <summary>The stages that put this artifact out, the newest first; those that reused a result too.</summary>
    public async Task<IReadOnlyList<ArtifactMaker>> MakersAsync(string hash, CancellationToken cancellation)
    {
        await using var db = database.Create();
        string[] hashes = [hash];
        return await db.Stages.Where(stage => stage.Makes.Any(made => hashes.Contains(made)))
            .Join(db.Runs, stage => stage.RunId, run => run.Id, (stage, run) => new { stage, run })
            .OrderByDescending(made => made.stage.FinishedAt).Take(MostMakers)
            .Select(made => new ArtifactMaker(
                made.run.Id, made.run.Name, made.stage.Id, made.stage.Kind, made.stage.FinishedAt, made.stage.Reused))
            .ToListAsync(cancellation);
    }

    /// <param name="most">So many stages at most.</param>
    public async Task<Lineage> OfAsync(string hash, int most, CancellationToken cancellation)
    {
        await using var db = database.Create();
        var graph = new Graph(hash, most);
        await FollowAsync(graph, hash, frontier => Computed(db).Where(stage => stage.Makes.Any(made => frontier.Contains(made))), graph.Above, cancellation);
        await FollowAsync(graph, hash, frontier => Computed(db).Where(stage => stage.Takes.Any(taken => frontier.Contains(taken))), graph.Below, cancellation);
        var names = await db.Runs.Where(run => graph.Runs.Contains(run.Id))
            .ToDictionaryAsync(run => run.Id, run => run.Name, cancellation);
        return graph.Read(names);
    }

    private static IQueryable<StageRow> Computed(PipelinesDb db) => db.Stages.AsNoTracking().Where(stage => !stage.Reused && stage.Outputs != null);

    /// <param name="find">The stages next to some artifacts.</param>
    /// <param name="add">Takes such a stage in, and gives the artifacts behind it.</param>
    private static async Task FollowAsync(
        Graph graph, string hash, Func<string[], IQueryable<StageRow>> find, Func<StageRow, IEnumerable<string>> add,
        CancellationToken cancellation)
    {
        var seen = new HashSet<string> { hash };
        for (string[] frontier = [hash]; frontier.Length > 0 && graph.Room > 0;)
        {
            var stages = await find(frontier).OrderBy(stage => stage.FinishedAt).Take(graph.Room).ToListAsync(cancellation);
            frontier = [.. stages.SelectMany(add).Where(seen.Add)];
        }
    }

    private sealed class Graph(string hash, int most)
    {
        private readonly HashSet<string> artifacts = [hash];
        private readonly Dictionary<string, StageRow> stages = [];
        private readonly HashSet<LineageEdge> edges = [];
        private bool truncated;

        /// <summary>One more than it takes, which shows that there are more.</summary>
        public int Room => truncated ? 0 : most - stages.Count + 1;

        public Guid[] Runs => [.. stages.Values.Select(stage => stage.RunId).Distinct()];

        /// <summary>One that made a known artifact: what it read is known then.</summary>
        public string[] Above(StageRow stage) => Add(stage, stage.Takes);

        /// <summary>One that read a known artifact: what it made is known then.</summary>
        public string[] Below(StageRow stage) => Add(stage, stage.Makes);

        public Lineage Read(Dictionary<Guid, string> names)
        {
            foreach (var (id, stage) in stages)
            {
                edges.UnionWith(stage.Takes.Where(artifacts.Contains).Select(taken => new LineageEdge(taken, id)));
                edges.UnionWith(stage.Makes.Where(artifacts.Contains).Select(made => new LineageEdge(id, made)));
            }

            return new Lineage(
                [.. artifacts],
                [
                    .. stages.Select(stage => new LineageStage(
                        stage.Key, stage.Value.RunId, names[stage.Value.RunId], stage.Value.Id, stage.Value.Kind, stage.Value.FinishedAt)),
                ],
                [.. edges], truncated);
        }

        private string[] Add(StageRow stage, string[] behind)
        {
            var id = $"{stage.RunId}/{stage.Id}";
            if (stages.Count >= most && !stages.ContainsKey(id))
            {
                truncated = true;
                return [];
            }

            stages[id] = stage;
            artifacts.UnionWith(behind);
            return behind;
        }
    }
}

/// <summary>A stage that put an artifact out.</summary>
internal sealed record ArtifactMaker(Guid Run, string Workflow, string Stage, string Kind, DateTimeOffset? At, bool Reused);
