using System.CommandLine;
using System.Globalization;
using Pipelines.Storage.Artifacts;

namespace Pipelines.Cli;

/// <summary>Where a worker finds artifacts that are on another machine.</summary>
internal sealed class RemoteOptions
{
    private readonly Option<string?> artifacts = new("--artifacts")
    {
        Description = "Address of the server that has the artifacts, as http://HOST:5080; the data folder then holds copies (PIPELINES_ARTIFACTS)",
        HelpName = "address",
    };

    private readonly Option<string> cacheSize = new("--cache-size")
    {
        Description = "How much room the copies may take: 20G, 500M",
        HelpName = "size",
        DefaultValueFactory = _ => "20G",
    };

    private readonly TokenOption token = new("What the server wants to be shown");

    public void AddTo(Command command)
    {
        command.Options.Add(artifacts);
        command.Options.Add(cacheSize);
        token.AddTo(command);
    }

    /// <returns>Null when the artifacts are on this machine.</returns>
    /// <exception cref="UserException">A value is none.</exception>
    public ArtifactServer? Read(ParseResult parsed)
    {
        if ((Place.NotEmpty(parsed.GetValue(artifacts)) ?? Place.NotEmpty(Environment.GetEnvironmentVariable("PIPELINES_ARTIFACTS"))) is not { } text)
            return null;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https")
            || address is not { UserInfo: "", Query: "", Fragment: "" })
        {
            // What stands before an @ may be a password.
            throw new UserException($"--artifacts {text[(text.LastIndexOf('@') + 1)..]}: expected an address as http://HOST:5080");
        }

        return new ArtifactServer
        {
            Address = address,
            Token = token.Read(parsed),
            CacheSize = ByteSize.Read("--cache-size", parsed.GetRequiredValue(cacheSize)),
        };
    }
}

/// <summary>Sizes as people write them.</summary>
internal static class ByteSize
{
    /// <exception cref="UserException">It is none.</exception>
    public static long Read(string option, string text)
    {
        var shift = (text.Length == 0 ? ' ' : char.ToUpperInvariant(text[^1])) switch { 'K' => 10, 'M' => 20, 'G' => 30, 'T' => 40, _ => 0 };
        return shift > 0 && long.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= 1 << 20
            ? number << shift
            : throw new UserException($"{option} {text}: expected a number and K, M, G or T, as 20G");
    }
}
