using System.Diagnostics;

namespace Pipelines.Tests.Cli;

/// <summary>What a command came to.</summary>
internal sealed record Ended(int Code, string Output, string Errors)
{
    /// <summary>Standard error with every run of white space as one space.</summary>
    public string Message => string.Join(' ', Errors.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    public string[] Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}

/// <summary>A folder that the real program is started in, with a data folder of its own; gone afterwards.</summary>
internal sealed class Place : IDisposable
{
    // Far more than the slowest command takes, a first start of Postgres on a busy machine included.
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(3);

    public string Folder { get; } = Directory.CreateTempSubdirectory("pipelines-cli-").FullName;

    /// <summary>In the folder, unless said otherwise.</summary>
    public string Data { get => field ?? this["data"]; init; }

    /// <summary>The full path of a file in the folder.</summary>
    public string this[string name] => Path.Combine(Folder, name);

    public string Write(string name, string text)
    {
        File.WriteAllText(this[name], text);
        return name;
    }

    public Task<Ended> RunAsync(params string[] arguments) => RunAsync(null, arguments);

    /// <param name="database">A connection string; null for the private Postgres.</param>
    public async Task<Ended> RunAsync(string? database, string[] arguments)
    {
        using var process = Process.Start(Describe(database, arguments))!;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Longest);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var errors = process.StandardError.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return new Ended(process.ExitCode, await output, await errors);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"pipelines {string.Join(' ', arguments)} did not end in {Longest}");
        }
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private ProcessStartInfo Describe(string? database, string[] arguments)
    {
        // The program lies beside the tests: they refer to its project.
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "pipelines"), arguments)
        {
            WorkingDirectory = Folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // What the machine is set to must not decide how a test ends.
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("PIPELINES_", StringComparison.Ordinal)).ToArray())
            start.Environment.Remove(name);
        start.Environment["PIPELINES_DATA"] = Data;
        if (database is not null)
            start.Environment["PIPELINES_DATABASE"] = database;
        return start;
    }
}
