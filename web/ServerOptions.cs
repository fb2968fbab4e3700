using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Pipelines.Web;

/// <summary>Where the server listens, and whom.</summary>
public sealed class ServerOptions
{
    /// <summary>Port 0 takes a free one.</summary>
    public required IPEndPoint Listen { get; init; }

    /// <summary>What machines that work together share: it has the role operator. Tokens of persons are in the database.</summary>
    public string? Token { get; init; }

    /// <summary>Whether a token must be shown on loopback too; beyond it, one always must.</summary>
    public bool RequireToken { get; init; }

    public RequestLimits Limits { get; init; } = new();

    /// <summary>Bytes that an artifact from elsewhere may have.</summary>
    public long LargestArtifact { get; init; } = 1L << 40;

    /// <summary>The folder of the built designer; one without it serves none.</summary>
    public string Designer { get; init; } = DesignerFiles.Beside;

    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;
}
