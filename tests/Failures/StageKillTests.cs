using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Pipelines.Engine;
using Pipelines.Storage;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;

namespace Pipelines.Tests.Failures;

/// <summary>Each kind of stage that saves checkpoints: kill -9 in its middle, and another worker brings it to the same end.</summary>
public sealed class StageKillTests(StageKillTests.Killed killed) : IClassFixture<StageKillTests.Killed>
{
    public static TheoryData<string> Stages => [.. KillableStage.Chosen.Select(stage => stage.Id)];

    [Theory]
    [MemberData(nameof(Stages))]
    public void A_stage_whose_worker_is_killed_ends_in_the_same_bits(string stage)
    {
        var (calm, disturbed) = (Of(killed.Calm, stage), Of(killed.Disturbed, stage));

        Assert.True(calm.State == StageState.Succeeded, calm.Error);
        Assert.True(disturbed.State == StageState.Succeeded, disturbed.Error);
        Assert.True(killed.Died(stage), "no worker died in it");
        var attempts = killed.History.Attempts.Where(attempt => attempt.Stage == stage).ToArray();
        Assert.Equal("lost", attempts[0].Outcome);
        Assert.True(attempts[^1].FromStep > 0, "the last attempt began anew");
        Assert.Equal(Killed.Lasting(calm), Killed.Lasting(disturbed));
    }

    private static StageView Of(RunView run, string stage) => run.Stages.Single(one => one.Id == stage);

    /// <summary>One workflow of all of them, run twice: in peace, and so that in each of them a worker dies; in the long form at each of its checkpoints.</summary>
    public sealed class Killed(TestCluster cluster) : IAsyncLifetime
    {
        private static readonly int Workers = Tally.All ? 3 : 2;

        private readonly FreshDatabase fresh = new(cluster);

        public RunView Calm { get; private set; } = null!;

        public RunView Disturbed { get; private set; } = null!;

        internal History History { get; private set; } = null!;

        public bool Died(string stage) => Deaths.Any(death => death == stage || death.StartsWith($"{stage} ", StringComparison.Ordinal));

        private string[] Deaths { get; set; } = [];

        public async ValueTask InitializeAsync()
        {
            await fresh.InitializeAsync();
            var marks = Directory.CreateDirectory(Path.Combine(fresh.DataFolder, "marks")).FullName;
            foreach (var stage in KillableStage.Chosen)
                await File.WriteAllTextAsync(Path.Combine(marks, $"{stage.Id}.step"), stage.Dies.ToString(CultureInfo.InvariantCulture));
            await using var laboratory = await Laboratory.OpenAsync(fresh);
            // They are too small to be shared out among threads.
            laboratory.Environment["OMP_NUM_THREADS"] = "1";
            laboratory.Environment["PIPELINES_CHECKPOINTS"] = "3600";
            Calm = await RunAsync(laboratory, fault: null);
            laboratory.Environment["PIPELINES_CHECKPOINTS"] = "0";
            Disturbed = await RunAsync(laboratory, $"die {FaultPoint.CheckpointWritten} {marks}{(Tally.Long ? " each" : "")}");
            History = await laboratory.HistoryAsync(Disturbed.Id);
            Deaths = [.. Directory.EnumerateFiles(marks).Select(file => Path.GetFileName(file)).Where(file => !file.EndsWith(".step", StringComparison.Ordinal))];
            Tally.Add(
                $"kill -9 in {(Tally.Long ? "every step" : "the middle")} of each kind of training stage", Deaths.Length,
                History.Lost, History.DoneTwice, Calm.Stages.Zip(Disturbed.Stages).All(pair => Lasting(pair.First) == Lasting(pair.Second)));
        }

        public ValueTask DisposeAsync() => fresh.DisposeAsync();

        /// <summary>What a stage gave, artifacts by their hashes; without the seconds that it took.</summary>
        public static string Lasting(StageView stage)
        {
            var outputs = JsonNode.Parse(stage.Outputs?.GetRawText() ?? "{}")!.AsObject();
            outputs.Remove("seconds");
            return outputs.ToJsonString();
        }

        private static async Task<RunView> RunAsync(Laboratory laboratory, string? fault)
        {
            using var keeping = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            var run = await laboratory.StartAsync(KillableStage.Document.Deserialize<WorkflowDefinition>(Json.Options)!, useCache: true);
            var keeper = laboratory.KeepAliveAsync(fault, keeping.Token, Workers);
            try
            {
                return await laboratory.WaitAsync(run).WaitAsync(Tally.Long ? TimeSpan.FromHours(1) : TimeSpan.FromMinutes(8), keeping.Token);
            }
            finally
            {
                await keeping.CancelAsync();
                await keeper;
            }
        }
    }
}
