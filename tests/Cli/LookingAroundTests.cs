using Pipelines.Activities;
using Pipelines.Tests.Guards;

namespace Pipelines.Tests.Cli;

/// <summary>Commands of the real program that run nothing.</summary>
public sealed class LookingAroundTests : IDisposable
{
    private readonly Place place = new();

    public void Dispose() => place.Dispose();

    [Fact]
    public async Task Help_lists_every_command()
    {
        var ended = await place.RunAsync("--help");

        Assert.Equal((0, ""), (ended.Code, ended.Errors));
        string[] commands = ["run", "resume", "cancel", "runs", "show", "logs", "worker", "workers", "drain", "validate", "activities", "doctor"];
        Assert.All(commands, command => Assert.Contains(ended.Lines, line => line.StartsWith($"  {command} ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Help_of_a_command_lists_its_options()
    {
        var ended = await place.RunAsync("run", "--help");

        Assert.Equal((0, ""), (ended.Code, ended.Errors));
        Assert.All(["--set", "--out", "--no-cache", "--json", "--database", "--data"], option => Assert.Contains(option, ended.Output));
    }

    [Fact]
    public async Task A_workflow_without_faults_is_valid()
    {
        var ended = await place.RunAsync("validate", Repository.File("workflows", "templates", "quickstart.json"));

        Assert.Equal((0, ""), (ended.Code, ended.Errors));
        Assert.Contains("quickstart: 10 stages, no faults", ended.Output);
        Assert.Empty(Directory.GetFileSystemEntries(place.Folder));
    }

    [Fact]
    public async Task A_workflow_is_valid_with_its_parameters_set()
    {
        var ended = await place.RunAsync(
            "validate", Repository.File("workflows", "templates", "llama-prune-recover.json"),
            "--set", "model=m", "--set", "text=t", "--set", "evaluation=e", "--set", "sparsity=0.6");

        Assert.Equal((0, ""), (ended.Code, ended.Errors));
    }

    [Fact]
    public async Task Every_kind_of_stage_is_listed_with_what_it_does()
    {
        var ended = await place.RunAsync("activities");

        Assert.Equal((0, ""), (ended.Code, ended.Errors));
        Assert.All(ActivityCatalog.Create().Entries, entry => Assert.Contains(
            ended.Lines,
            line => line.StartsWith(entry.Kind + " ", StringComparison.Ordinal)
                && line.Contains(entry.Description, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_kind_is_shown_with_its_ports_and_parameters()
    {
        var ended = await place.RunAsync("activities", "prune.wanda");

        Assert.Equal((0, ""), (ended.Code, ended.Errors));
        Assert.Contains("inputs: model: checkpoint, calibration: dataset?, statistics: statistics?", ended.Output);
        Assert.Contains("outputs: model: checkpoint, sparsity: double", ended.Output);
        Assert.Matches(@"(?m)^sparsity +number +0\.5 +.*\(0 to 0\.99\)", ended.Output);
        Assert.Matches(@"(?m)^pattern +string +""none""", ended.Output);
        Assert.DoesNotContain('\u001b', ended.Output);
    }

    [Fact]
    public async Task A_parameter_without_a_default_is_shown_as_required() =>
        Assert.Matches(@"(?m)^path +string +required ", (await place.RunAsync("activities", "data.text")).Output);
}
