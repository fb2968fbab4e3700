using Microsoft.EntityFrameworkCore;
using Pipelines.Storage;
using Pipelines.Workflows;

namespace Pipelines.Web;

/// <summary>Finds a published version of a definition, the last one without a number.</summary>
/// <returns>Null when there is none.</returns>
internal delegate Task<PublishedDefinition?> FindPublished(string name, int? version, CancellationToken cancellation);

internal sealed record PublishedDefinition(WorkflowDefinition Definition, int Version);

internal static class PublishedDefinitions
{
    public static FindPublished In(Database database) => async (name, version, cancellation) =>
    {
        await using var db = database.Create();
        var row = await db.DefinitionVersions.AsNoTracking()
            .Where(row => row.Name == name && (version == null || row.Version == version))
            .OrderByDescending(row => row.Version).FirstOrDefaultAsync(cancellation);
        return row is null ? null : new PublishedDefinition(Json.Read<WorkflowDefinition>(row.Definition), row.Version);
    };
}
