using System.Diagnostics;

namespace Pipelines.Storage.Postgres;

/// <summary>
/// The account that the private server runs under: ours, or, since PostgreSQL refuses to run as root, that of
/// <c>postgres</c> or <c>nobody</c>.
/// </summary>
/// <param name="Name">Null when it is our own.</param>
internal sealed record ServerAccount(string? Name)
{
    public static ServerAccount Current() => new(
        !Environment.IsPrivilegedProcess ? null
        : File.ReadLines("/etc/passwd").Any(line => line.StartsWith("postgres:", StringComparison.Ordinal)) ? "postgres"
        : "nobody");

    /// <summary>Makes a folder that only this account may enter (and root).</summary>
    public async Task OwnAsync(string folder, CancellationToken cancellation)
    {
        var owner = Name is null ? Array.Empty<string>() : ["-o", Name];
        var (code, output) = await ExecuteAsync(["install", "-d", "-m", "0700", .. owner, folder], cancellation);
        if (code != 0)
            throw new DatabaseException($"the folder {folder} cannot be made: {output}");
    }

    /// <summary>Whether this account may go through a folder and all that it lies in.</summary>
    public async Task<bool> MayEnterAsync(string folder, CancellationToken cancellation) =>
        (await RunAsync(["test", "-x", folder], cancellation)).Code == 0;

    /// <summary>Runs a program under this account.</summary>
    public Task<(int Code, string Output)> RunAsync(IEnumerable<string> command, CancellationToken cancellation) =>
        ExecuteAsync(
            Name is null ? command : ["setpriv", $"--reuid={Name}", $"--regid={GroupId(Name)}", "--init-groups", "--", .. command],
            cancellation);

    // The group's name may differ from the user's (nobody, nogroup); its number stands in the list of users.
    private static string GroupId(string name) => File.ReadLines("/etc/passwd")
        .First(line => line.StartsWith(name + ":", StringComparison.Ordinal)).Split(':')[3];

    private static async Task<(int Code, string Output)> ExecuteAsync(
        IEnumerable<string> command, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo
        {
            FileName = command.First(),
            RedirectStandardInput = true,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            WorkingDirectory = "/",
        };
        foreach (var argument in command.Skip(1))
            start.ArgumentList.Add(argument);
        start.Environment["LC_ALL"] = "C";
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEndAsync(cancellation);
        var output = await process.StandardOutput.ReadToEndAsync(cancellation);
        await process.WaitForExitAsync(cancellation);
        return (process.ExitCode, (output + await errors).Trim());
    }
}
