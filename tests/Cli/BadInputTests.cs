using System.Diagnostics;

namespace Pipelines.Tests.Cli;

/// <summary>The real program, given what it must refuse: one clear message, exit code 2, nothing run.</summary>
public sealed class BadInputTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("pipelines-cli-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("""{ "id": "p", "kind": "prune.magnitude", "parameters": { "sparsitty": 0.5 }, "inputs": { "model": "m.model" } }""",
        "p: unknown parameter 'sparsitty' (did you mean 'sparsity'?)")]
    [InlineData("""{ "id": "p", "kind": "prune.magnitude", "parameters": { "sparsity": 1.2 }, "inputs": { "model": "m.model" } }""",
        "p: parameter 'sparsity' is 1.2")]
    [InlineData("""{ "id": "p", "kind": "prune.magnitude", "parameters": { "pattern": "two of four" }, "inputs": { "model": "m.model" } }""",
        "p: parameter 'pattern' is \"two of four\"")]
    [InlineData("""{ "id": "p", "kind": "prune.magic", "inputs": { "model": "m.model" } }""", "p: no activity of kind 'prune.magic'")]
    [InlineData("""{ "id": "p", "kind": "prune.magnitude", "inputs": { "model": "m.weights" } }""", "model.load has no output 'weights'")]
    [InlineData("""{ "id": "p", "kind": "prune.magnitude", "inputs": { "model": "p.model" } }""", "in a circle: p → p")]
    [InlineData("""{ "id": "p", "kind": "prune.magnitude", "inputs": { "model": "m.model", "model": "m.model" } }""", "stages[1].inputs")]
    public async Task A_faulty_stage_is_named(string stage, string says)
    {
        var file = Write($$"""
            { "name": "w", "stages": [ { "id": "m", "kind": "model.load", "parameters": { "path": "/nowhere" } }, {{stage}} ] }
            """);

        var (code, errors) = await RunAsync("run", file, "--out", Path.Combine(folder, "out"));

        AssertRefused(code, errors, says);
        Assert.False(Directory.Exists(Path.Combine(folder, "out")));
    }

    [Theory]
    [InlineData("run", "/nowhere.json", "/nowhere.json: cannot be read")]
    [InlineData("activities", "prune.wandaa", "did you mean 'prune.wanda'?")]
    [InlineData("worker", "--serve=tpu", "--serve tpu: expected cpu or gpu")]
    public async Task A_faulty_command_is_explained(string command, string argument, string says)
    {
        var (code, errors) = await RunAsync(command, argument);

        AssertRefused(code, errors, says);
    }

    [Fact]
    public async Task A_folder_with_other_files_is_not_written_to()
    {
        File.WriteAllText(Path.Combine(folder, "thesis.txt"), "mine");
        var file = Write("""{ "name": "w", "stages": [ { "id": "s", "kind": "data.synthetic" } ] }""");

        var (code, errors) = await RunAsync("run", file, "--out", folder);

        AssertRefused(code, errors, "the folder holds other files");
    }

    [Fact]
    public async Task A_database_that_does_not_answer_is_named_without_its_password()
    {
        var (code, errors) = await RunAsync("runs", "--database", "Host=127.0.0.1;Port=1;Username=u;Password=secret;Database=d;Timeout=2");

        AssertRefused(code, errors, "127.0.0.1");
        Assert.DoesNotContain("secret", errors, StringComparison.Ordinal);
    }

    private static void AssertRefused(int code, string errors, string says)
    {
        Assert.Contains(says, Unwrapped(errors), StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
        Assert.Equal(2, code);
    }

    // The console breaks long lines where it stands; words are what is compared.
    private static string Unwrapped(string text) =>
        string.Join(' ', text.Split([' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries));

    private string Write(string workflow)
    {
        var file = Path.Combine(folder, "workflow.json");
        File.WriteAllText(file, workflow);
        return file;
    }

    private async Task<(int Code, string Errors)> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "pipelines"), arguments)
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            WorkingDirectory = folder,
        };
        start.Environment["PIPELINES_DATA"] = Path.Combine(folder, "data");
        start.Environment.Remove("PIPELINES_DATABASE");
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = await process.StandardError.ReadToEndAsync();
        await output;
        await process.WaitForExitAsync();
        return (process.ExitCode, errors);
    }
}
