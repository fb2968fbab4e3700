using Pipelines.Workflows;

namespace Pipelines.Engine;

internal static class CatalogVersions
{
    /// <exception cref="StageException">The program that is to run the stage is another than the one that planned it.</exception>
    public static CatalogEntry Find(this Catalog catalog, string kind, int version)
    {
        var entry = catalog.Find(kind) ?? throw new StageException($"this worker does not know the activity '{kind}'");
        return entry.Version == version
            ? entry
            : throw new StageException($"the run was planned with version {version} of {kind}, this worker has {entry.Version}");
    }
}
