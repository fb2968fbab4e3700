using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Pipelines.Web;

/// <summary>Where the server listens, and whom.</summary>
public sealed class ServerOptions
{
    /// <summary>Port 0 takes a free one.</summary>
    public required IPEndPoint Listen { get; init; }

    /// <summary>What a request must show; needed beyond loopback.</summary>
    public string? Token { get; init; }

    /// <summary>Bytes that an artifact from elsewhere may have.</summary>
    public long LargestArtifact { get; init; } = 1L << 40;

    /// <summary>The folder of the built designer; one without it serves none.</summary>
    public string Designer { get; init; } = DesignerFiles.Beside;

    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;
}
