using System.CommandLine;

namespace Pipelines.Cli;

/// <summary>The secret that a server and its callers share: in a file, or in the environment; never on the command line, which all can read.</summary>
internal sealed class TokenOption(string description)
{
    private const int Shortest = 16;

    private readonly Option<string?> file = new("--token-file") { Description = $"{description}: a file with a token (PIPELINES_TOKEN: the token)", HelpName = "file" };

    public void AddTo(Command command) => command.Options.Add(file);

    /// <returns>Null when none is given.</returns>
    /// <exception cref="UserException">The file cannot be read, or holds no token; does not say what it holds.</exception>
    public string? Read(ParseResult parsed)
    {
        var path = Place.NotEmpty(parsed.GetValue(file));
        var (source, text) = path is null
            ? ("PIPELINES_TOKEN", Place.NotEmpty(Environment.GetEnvironmentVariable("PIPELINES_TOKEN")))
            : ($"--token-file {path}", Content(path));
        var token = text?.Trim();
        if (token is null || (token.Length >= Shortest && token.All(char.IsAscii) && !token.Any(one => char.IsControl(one) || one == ' ')))
            return token;
        throw new UserException($"{source}: expected a token of at least {Shortest} letters and digits on one line, as openssl rand -hex 32 makes");
    }

    private static string Content(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UserException($"--token-file {path}: {error.Message}");
        }
    }
}
