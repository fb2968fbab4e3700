using Pipelines.Engine;
using Pipelines.Storage;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;

namespace Pipelines.Tests.Failures;

/// <summary>Workers that die in the middle of fan-outs and rounds.</summary>
public sealed class FlowTests(FreshDatabase fresh) : IClassFixture<FreshDatabase>, IAsyncLifetime
{
    private const string Document = """
        { "name": "flow", "parameters": { "ratios": { "type": "list", "default": [0.2, 0.4, 0.6, 0.8] } },
          "outputs": { "ranking": "rank.ranking", "model": "rounds.model" },
          "stages": [
            { "id": "text", "kind": "data.synthetic", "parameters": { "characters": 20000, "evaluationCharacters": 4000 } },
            { "id": "train", "kind": "model.train", "inputs": { "data": "text.data" },
              "parameters": { "hidden": 32, "layers": 2, "heads": 2, "intermediate": 64, "vocabulary": 300, "steps": 10, "batch": 4 } },
            { "id": "sweep", "matrix": { "values": { "ratio": "${ratios}" }, "parallel": 2 },
              "outputs": { "model": "prune.model", "measurement": "evaluate.measurement" }, "stages": [
                { "id": "prune", "kind": "prune.magnitude", "parameters": { "sparsity": "${ratio}" }, "inputs": { "model": "train.model" } },
                { "id": "evaluate", "kind": "evaluate.perplexity", "inputs": { "model": "prune.model", "data": "text.evaluation" } } ] },
            { "id": "rank", "kind": "report.rank", "inputs": { "measurements": "sweep.measurement" } },
            { "id": "rounds", "repeat": { "times": 4, "until": "round >= 3 and evaluate.measurement.nonzero > 0" },
              "inputs": { "model": "train.model" }, "outputs": { "model": "recover.model" }, "stages": [
                { "id": "prune", "kind": "prune.magnitude", "parameters": { "sparsity": "${0.2 * round}" }, "inputs": { "model": "inputs.model" } },
                { "id": "recover", "kind": "finetune.lora", "parameters": { "steps": 4, "batch": 2, "rank": 2 },
                  "inputs": { "model": "prune.model", "data": "text.data" } },
                { "id": "evaluate", "kind": "evaluate.perplexity", "inputs": { "model": "recover.model", "data": "text.evaluation" } } ] } ] }
        """;

    private Laboratory laboratory = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => laboratory = await Laboratory.OpenAsync(fresh);

    public async ValueTask DisposeAsync() => await laboratory.DisposeAsync();

    [Fact(Timeout = Laboratory.Longest)]
    public async Task Workers_are_killed_in_the_middle_of_a_fan_out_and_of_rounds()
    {
        var kills = Tally.Long ? 60 : 5;
        var random = new Random(Tally.Seed);
        var workers = new[] { laboratory.StartWorker(), laboratory.StartWorker() };
        var expected = Results(await laboratory.WaitAsync(await StartAsync(crashes: 1000)));
        var (killed, lost, twice, same) = (0, 0, 0, true);
        while (killed < kills)
        {
            var run = await StartAsync(crashes: 1000);
            while ((await laboratory.ViewAsync(run)).State == RunState.Running)
            {
                await Task.Delay(random.Next(100, 2000), Cancellation);
                if (killed >= kills)
                    continue;
                var victim = random.Next(2);
                workers[victim].Kill();
                workers[victim] = laboratory.StartWorker();
                killed++;
            }

            var view = await laboratory.WaitAsync(run);
            var history = await laboratory.HistoryAsync(run);
            Assert.True(view.State == RunState.Succeeded, $"seed {Tally.Seed}: the run has {view.State}");
            history.Check();
            (lost, twice) = (lost + history.Lost, twice + history.DoneTwice);
            same &= expected.SequenceEqual(Results(view));
        }

        Tally.Add($"kill -9 in fan-outs and rounds (seed {Tally.Seed})", killed, lost, twice, same);
        Assert.Contains(expected, stage => stage.Contains("Skipped", StringComparison.Ordinal));
        Assert.True(same, $"seed {Tally.Seed}: the results differ");
    }

    [Fact(Timeout = Laboratory.Longest)]
    public async Task Of_a_fan_out_that_is_partly_done_only_the_rest_runs_on_resume()
    {
        using var keeping = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var keeper = laboratory.KeepAliveAsync("poison sweep.3.evaluate", keeping.Token);
        var run = await StartAsync();
        var failed = await laboratory.WaitAsync(run);
        await keeping.CancelAsync();
        await keeper;
        Assert.Equal(RunState.Failed, failed.State);

        laboratory.StartWorker();
        var reset = await laboratory.Engine.ResetRunAsync(run, new RunAgain(), Cancellation);
        var view = await laboratory.WaitAsync(run);

        var history = await laboratory.HistoryAsync(run);
        Tally.Add("a fan-out, three of four branches done, resumed", 1, history.Lost, history.DoneTwice, view.State == RunState.Succeeded);
        Assert.Equal(["sweep.3.evaluate", "rank"], reset.WillRun);
        Assert.Equal(RunState.Succeeded, view.State);
        history.Check();
        Assert.All(
            view.Stages.Where(stage => stage.Id is "sweep.1.evaluate" or "sweep.2.evaluate" or "sweep.4.evaluate"),
            stage => Assert.Equal(Outcome(failed, stage.Id), Outcome(view, stage.Id)));
    }

    private static string Outcome(RunView run, string id) => Written(run.Stages.Single(stage => stage.Id == id));

    private static string[] Results(RunView run) => [.. run.Stages.Select(Written).Order(StringComparer.Ordinal)];

    private static string Written(StageView stage) => $"{stage.Id} {stage.State} {stage.Outputs?.GetRawText()}";

    private Task<Guid> StartAsync(int crashes = 3) => laboratory.StartAsync(Json.Read<WorkflowDefinition>(Document)
        .MapActivities((_, stage) => stage with { Retry = new RetryDefinition(Crashes: crashes) }));
}
