namespace Pipelines.Tests.Cli;

/// <summary>Options and surroundings that are wrong, given to the real program.</summary>
public sealed class RefusedCommandTests : IDisposable
{
    private const string Workflow = """
        {
          "name": "w",
          "parameters": {
            "text": { "type": "path", "description": "The text to read" },
            "length": { "type": "integer", "default": 16 }
          },
          "stages": [
            { "id": "read", "kind": "data.text", "parameters": { "path": "${text}", "length": "${length}" } }
          ]
        }
        """;

    private readonly Place place = new();

    public RefusedCommandTests() => place.Write("w.json", Workflow);

    public void Dispose() => place.Dispose();

    [Fact]
    public async Task A_parameter_that_must_be_set() => Refusal.Is(
        await place.RunAsync("run", "w.json"), "w.json", "'text' must be set", "--set text=", "The text to read");

    [Fact]
    public async Task A_parameter_that_the_workflow_does_not_have() => Refusal.Is(
        await RunAsync("--set", "lenght=8"), "w.json", "no parameter 'lenght'", "did you mean 'length'");

    [Fact]
    public async Task A_value_of_another_type() => Refusal.Is(
        await RunAsync("--set", "length=many"), "w.json", "'length'", "many", "expected integer");

    [Fact]
    public async Task A_value_out_of_range() => Refusal.Is(
        await RunAsync("--set", "length=1"), "w.json", "read", "'length' is 1", "between 2 and 1048576");

    [Fact]
    public async Task A_setting_without_a_value() => Refusal.Is(
        await RunAsync("--set", "length"), "--set length", "expected name=value");

    [Fact]
    public async Task Results_in_a_place_that_is_a_file()
    {
        place.Write("taken", "mine");

        Refusal.Is(await RunAsync("--out", "taken"), "--out", place["taken"], "expected a folder");
        Assert.Equal("mine", File.ReadAllText(place["taken"]));
    }

    [Fact]
    public async Task Results_in_a_folder_that_holds_other_files()
    {
        Directory.CreateDirectory(place["taken"]);
        place.Write("taken/notes.txt", "mine");

        Refusal.Is(await RunAsync("--out", "taken"), "--out", place["taken"], "holds other files", "choose an empty or a new one");
        Assert.Equal([place["taken/notes.txt"]], Directory.GetFileSystemEntries(place["taken"]));
    }

    [Theory]
    [InlineData("""{ "passed": 12 }""")]
    [InlineData("not even JSON")]
    public async Task Results_in_a_folder_with_a_report_that_is_not_of_a_run(string report)
    {
        // Results replace what an earlier run left in the folder: what no run left must not be taken for it.
        Directory.CreateDirectory(place["taken"]);
        place.Write("taken/report.json", report);
        place.Write("taken/notes.txt", "mine");

        Refusal.Is(await RunAsync("--out", "taken"), "--out", place["taken"], "holds other files");
        Assert.Equal("mine", File.ReadAllText(place["taken/notes.txt"]));
    }

    [Theory]
    [InlineData("run", "w.json", "--set", "text=a")]
    [InlineData("runs")]
    [InlineData("show", "last")]
    public async Task A_database_that_cannot_be_reached(params string[] command)
    {
        // Nothing listens on port 1: it is a service that no machine has had for decades.
        var ended = await place.RunAsync("Host=127.0.0.1;Port=1;Database=d;Username=u;Password=hush-hush", command);

        Refusal.Is(ended, "database", "127.0.0.1:1", "Failed to connect");
        Assert.DoesNotContain("hush", ended.Errors);
    }

    [Fact]
    public async Task A_connection_string_that_is_none()
    {
        var ended = await place.RunAsync("postgres://u:hush-hush@127.0.0.1/d", ["runs"]);

        Refusal.Is(ended, "connection string", "expected Host=");
        Assert.DoesNotContain("hush", ended.Errors);
    }

    [Fact]
    public async Task A_data_folder_that_is_a_file() => Refusal.Is(
        await place.RunAsync("runs", "--data", "w.json"), "data folder", place["w.json"], "cannot be used");

    [Theory]
    [InlineData("show")]
    [InlineData("resume")]
    [InlineData("cancel")]
    [InlineData("logs")]
    public async Task A_run_that_does_not_exist(string command) =>
        Refusal.Is(await place.RunAsync(command, "nosuchrun"), "'nosuchrun'");

    [Fact]
    public async Task The_last_run_where_there_is_none() =>
        Refusal.Is(await place.RunAsync("show", "last"), "no run");

    [Fact]
    public async Task A_group_of_stages_that_no_machine_serves() => Refusal.Is(
        await place.RunAsync("worker", "--serve", "tpu"), "--serve tpu", "expected cpu or gpu");

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("257")]
    public async Task A_number_of_slots_out_of_range(string slots) => Refusal.Is(
        await place.RunAsync("worker", "--slots", slots), $"--slots {slots}", "expected 1 to 256");

    [Theory]
    [InlineData("--listen 0.0.0.0:5080", "needs a token", "serve", "--listen", "0.0.0.0:5080")]
    [InlineData("--listen 127.0.0.1", "expected an address and a port", "serve", "--listen", "127.0.0.1")]
    [InlineData("--token-file none", "Could not find file", "serve", "--token-file", "none")]
    [InlineData("--token-file w.json", "expected a token of at least 16", "serve", "--token-file", "w.json")]
    [InlineData("--artifacts host:5080", "expected an address as http://HOST:5080", "worker", "--artifacts", "host:5080")]
    [InlineData("--artifacts host", "expected an address", "worker", "--artifacts", "http://me:hush-hush@host")]
    [InlineData("--cache-size 20", "expected a number and K, M, G or T", "worker", "--artifacts", "http://host", "--cache-size", "20")]
    [InlineData("--artifacts needs --database", "PIPELINES_DATABASE", "worker", "--artifacts", "http://host")]
    public async Task A_server_or_a_worker_elsewhere_that_makes_no_sense(string named, string expected, params string[] command)
    {
        var ended = await place.RunAsync(command);

        Refusal.Is(ended, named, expected);
        Assert.DoesNotContain("hush", ended.Errors);
    }

    [Fact]
    public async Task A_gpu_that_the_machine_does_not_have() => Refusal.Is(
        await place.RunAsync("worker", "--gpus", "99"), "--gpus 99", "LibTorch sees", "on this machine");

    [Fact]
    public async Task A_worker_that_does_not_exist() =>
        Refusal.Is(await place.RunAsync("drain", "nobody"), "no worker's id contains 'nobody'", "pipelines workers");

    [Fact]
    public async Task A_kind_that_does_not_exist() => Refusal.Is(
        await place.RunAsync("activities", "prune.wand"), "'prune.wand'", "did you mean 'prune.wanda'");

    [Theory]
    [InlineData("'--fast'", "run", "w.json", "--fast")]
    [InlineData("'file'", "run")]
    [InlineData("'rum'", "rum", "w.json")]
    [InlineData("'worker'", "drain")]
    public async Task A_command_line_that_cannot_be_read(string named, params string[] command)
    {
        var ended = await place.RunAsync(command);

        Assert.Contains(named, ended.Message);
        Assert.Equal(2, ended.Code);
    }

    private Task<Ended> RunAsync(params string[] options) => place.RunAsync(["run", "w.json", "--set", "text=a", .. options]);
}
