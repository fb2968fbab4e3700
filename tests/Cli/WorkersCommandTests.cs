using System.Text.Json;
using Pipelines.Tests.Engine;
using Pipelines.Tests.Fixtures;

namespace Pipelines.Tests.Cli;

/// <summary>What the real program says about workers, and how it has one leave.</summary>
public sealed class WorkersCommandTests(FreshDatabase database) : IClassFixture<FreshDatabase>, IDisposable
{
    private readonly Place place = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => place.Dispose();

    [Fact]
    public async Task Workers_are_shown_with_their_devices_and_what_they_run_and_one_can_be_drained()
    {
        await using var gpu = await database.WorkAsync(Toys.Catalog(), 0, "cuda:0", "cuda:1");
        await using var cpu = await database.WorkAsync(Toys.Catalog(), slots: 4);
        var run = await gpu.StartRunAsync(
            Toys.Plan(Toys.Stage("door", "toy.door", new { name = "workers" }, gpu: 1)), useCache: false, Cancellation);
        await Door.Named("workers").BegunAsync();
        var shortId = run.ToString()[^8..];

        var table = await RunAsync("workers");
        var first = Worker(await RunAsync("workers", "--json"), gpuSlots: 2);
        var id = first.GetProperty("id").GetString()!;
        var drain = await RunAsync("drain", id[^6..]);
        await gpu.Draining.WaitAsync(Cancellation);
        var second = Worker(await RunAsync("workers", "--json"), gpuSlots: 2);
        Door.Named("workers").Open();
        await gpu.Drained.WaitAsync(Cancellation);

        Assert.Contains(table.Lines, line => line.Contains("working", StringComparison.Ordinal)
            && line.Contains("gpu=2", StringComparison.Ordinal) && line.Contains("cuda:0,cuda:1", StringComparison.Ordinal)
            && line.Contains($"{shortId}/door on cuda:0", StringComparison.Ordinal));
        Assert.Contains(table.Lines, line => line.Contains("idle", StringComparison.Ordinal)
            && line.Contains("cpu=4", StringComparison.Ordinal));
        Assert.Equal(("working", "draining"), (first.GetProperty("state").GetString(), second.GetProperty("state").GetString()));
        var stage = Assert.Single(first.GetProperty("stages").EnumerateArray());
        Assert.Equal((run, "door", "cuda:0"), (stage.GetProperty("run").GetGuid(), stage.GetProperty("stage").GetString(), stage.GetProperty("device").GetString()));
        Assert.Equal($"worker {id} takes nothing any more; it finishes the stage that it runs, and leaves\n", drain.Output);
    }

    [Fact]
    public async Task A_drained_worker_ends_by_itself_with_0()
    {
        await using var asks = await database.OpenAsync(Toys.Catalog());
        var working = place.RunAsync(database.ConnectionString, ["worker"]);
        while (await asks.WorkersAsync(Cancellation) is [])
            Assert.False(working.IsCompleted, "the worker ended before it was told to");

        var drain = await RunAsync("drain", Assert.Single(await asks.WorkersAsync(Cancellation)).Id, "--now");
        var ended = await working;

        Assert.Contains("takes nothing any more; it runs nothing, and leaves", drain.Output);
        Assert.Equal((0, "", "leaving"), (ended.Code, ended.Errors, ended.Lines[^1]));
        Assert.Empty(await asks.WorkersAsync(Cancellation));
    }

    private async Task<Ended> RunAsync(params string[] command)
    {
        var ended = await place.RunAsync(database.ConnectionString, command);
        Assert.Equal((0, ""), (ended.Code, ended.Errors));
        return ended;
    }

    private static JsonElement Worker(Ended ended, int gpuSlots) => ended.Lines
        .Select(line => JsonDocument.Parse(line).RootElement)
        .Single(worker => worker.GetProperty("slots").TryGetProperty("gpu", out var slots) && slots.GetInt32() == gpuSlots);
}
