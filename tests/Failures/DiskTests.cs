using Npgsql;
using Pipelines.Storage;
using Pipelines.Storage.Postgres;
using Pipelines.Tests.Fixtures;

namespace Pipelines.Tests.Failures;

/// <summary>Disks that are full: that of the artifacts and of what stages write, that of the results, that of Postgres.</summary>
public sealed class DiskTests(FreshDatabase fresh) : IClassFixture<FreshDatabase>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory(Timeout = Laboratory.Longest)]
    [InlineData("train")]
    [InlineData("recover")]
    public async Task A_stage_that_finds_the_disk_full_fails_and_says_where_and_resume_goes_on_when_there_is_room(string stage)
    {
        using var disk = new SmallDisk(32);
        await using var laboratory = await Laboratory.OpenAsync(fresh.ConnectionString, Path.Combine(disk.Folder, "data"));
        var expected = await laboratory.UndisturbedAsync();
        laboratory.StartWorker();
        var failed = await FullDuringAsync(laboratory, disk, stage);
        var run = failed.Id;

        Assert.Equal(RunState.Failed, failed.State);
        Assert.All(failed.Stages.Where(one => one.State == StageState.Failed), one =>
        {
            Assert.Contains("the disk is full", one.Error);
            Assert.Contains(disk.Folder, one.Error);
        });
        Assert.Equal(StageState.Failed, failed.Stages.Single(one => one.Id == stage).State);
        laboratory.CheckWorkersLive();
        await CheckArtifactsAsync(laboratory);

        disk.Free();
        var resumed = await laboratory.CommandAsync("resume", run.ToString(), "--out", "results");
        Assert.True(resumed.Code == 0, resumed.Errors);
        var view = await laboratory.ViewAsync(run);
        var history = await laboratory.HistoryAsync(run);
        var same = expected.SequenceEqual(Laboratory.Outputs(view));
        Tally.Add($"disk full in '{stage}', freed, resumed", 1, history.Lost, history.DoneTwice, same);
        history.Check();
        Assert.True(same);
    }

    /// <summary>A run during whose stage the disk became full; one that was faster than that is left, and another started.</summary>
    private static async Task<RunView> FullDuringAsync(Laboratory laboratory, SmallDisk disk, string stage)
    {
        while (true)
        {
            var run = await laboratory.StartRunAsync();
            await laboratory.UntilAsync(
                run, view => view.Stages.Single(one => one.Id == stage).State is StageState.Running or StageState.Succeeded);
            disk.Fill();
            var ended = await laboratory.WaitAsync(run);
            if (ended.Stages.Single(one => one.Id == stage).State != StageState.Succeeded)
                return ended;
            disk.Free();
        }
    }

    [Fact(Timeout = Laboratory.Longest)]
    public async Task Results_that_do_not_fit_are_left_out_whole_and_the_same_command_brings_them_later()
    {
        using var disk = new SmallDisk(8);
        await using var laboratory = await Laboratory.OpenAsync(fresh.ConnectionString, fresh.DataFolder);
        var document = Path.Combine(disk.Folder, "small.json");
        await File.WriteAllTextAsync(document, Laboratory.SmallDocument().ToJsonString(), Cancellation);
        var results = Path.Combine(disk.Folder, "results");
        string[] command = ["run", document, "--out", results];
        Directory.CreateDirectory(results);
        disk.Fill(leave: 16 * 1024);

        var full = await laboratory.CommandAsync(command);

        Assert.Equal(2, full.Code);
        Assert.Contains("the disk is full", full.Message);
        Assert.Contains(results, full.Message);
        Assert.Empty(Directory.EnumerateFileSystemEntries(results));

        disk.Free();
        var again = await laboratory.CommandAsync(command);
        Assert.True(again.Code == 0, again.Errors);
        var runs = await laboratory.Engine.Runs.ListAsync(10, Cancellation);
        var first = (await laboratory.ViewAsync(runs[1].Id)).Stages;
        var second = (await laboratory.ViewAsync(runs[0].Id)).Stages;
        Assert.All(second, stage => Assert.True(stage.Reused, stage.Id));
        var same = first.Zip(second).All(pair => pair.First.Outputs!.Value.GetRawText() == pair.Second.Outputs!.Value.GetRawText());
        Tally.Add("disk of the results full, freed", 1, 0, 0, same);
        Assert.True(same);
        Assert.True(File.Exists(Path.Combine(results, "model.safetensors")));
    }

    [Fact(Timeout = Laboratory.Longest)]
    public async Task A_Postgres_whose_disk_is_full_loses_no_result_that_a_stage_comes_to_meanwhile()
    {
        using var disk = new SmallDisk(256);
        var options = new PostgresOptions(Path.Combine(disk.Folder, "database"), TimeProvider.System);
        await using var server = await PrivatePostgres.OpenAsync(options, Cancellation);
        await using var laboratory = await Laboratory.OpenAsync(server.ConnectionString, fresh.DataFolder);
        var expected = await laboratory.UndisturbedAsync();
        var worker = laboratory.StartWorker();
        var run = await laboratory.StartRunAsync();
        await laboratory.UntilAsync(run, view => view.Stages.Single(one => one.Id == "train") is { State: StageState.Running, Progress.Done: > 0 });

        disk.Fill();
        await UseUpLogAsync(laboratory);
        await worker.SaysAsync("does not take a stage's end", Cancellation);
        var full = await Assert.ThrowsAsync<DatabaseException>(() => server.ReviveAsync(Cancellation));
        Assert.Contains("No space left on device", full.Message);

        disk.Free();
        await server.ReviveAsync(Cancellation);
        var view = await Laboratory.PatientlyAsync(() => laboratory.WaitAsync(run));
        var history = await Laboratory.PatientlyAsync(() => laboratory.HistoryAsync(run));
        var same = expected.SequenceEqual(Laboratory.Outputs(view));
        Tally.Add("disk of Postgres full, server down, freed", 1, history.Lost, history.DoneTwice, same);
        laboratory.CheckWorkersLive();
        Assert.Equal(RunState.Succeeded, view.State);
        history.Check();
        Assert.True(same);
    }

    /// <summary>Its log goes on in new files until there is no room for one, and the server ends.</summary>
    private static async Task UseUpLogAsync(Laboratory laboratory)
    {
        var ended = false;
        for (var file = 0; file < 100 && !ended; file++)
        {
            try
            {
                await laboratory.ExecuteAsync("SELECT txid_current(), pg_switch_wal()");
            }
            catch (NpgsqlException)
            {
                ended = true;
            }
        }

        Assert.True(ended, "Postgres had room for a hundred files");
    }

    /// <summary>Whatever has the name of an artifact is whole.</summary>
    private static async Task CheckArtifactsAsync(Laboratory laboratory)
    {
        var folders = Directory.EnumerateDirectories(Path.Combine(laboratory.Data, "artifacts"), "*", SearchOption.AllDirectories)
            .Select(folder => Path.GetFileName(folder)).Where(name => name.Length == 64).ToArray();
        Assert.NotEmpty(folders);
        foreach (var name in folders)
            await laboratory.Engine.Artifacts.OpenAsync($"sha256:{name}", Cancellation);
    }
}
