using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Pipelines.Workflows;

namespace Pipelines.Storage;

/// <summary>
/// Workflows that are edited on the server. A draft is any object of JSON, kept as it came; a published version is a
/// workflow without faults, and never changes.
/// </summary>
public sealed class DefinitionStore
{
    private const int LongestName = 100;

    private readonly Database database;

    internal DefinitionStore(Database database) => this.database = database;

    /// <summary>By name.</summary>
    public async Task<IReadOnlyList<DefinitionSummary>> ListAsync(CancellationToken cancellation)
    {
        await using var db = database.Create();
        return await db.Database.SqlQuery<DefinitionSummary>($"""
            SELECT name AS "Name", CASE WHEN json_typeof(draft -> 'description') = 'string' THEN draft ->> 'description' END AS "Description",
                revision AS "Revision", published AS "Published", revision IS DISTINCT FROM published_revision AS "Changed",
                updated_at AS "Updated", updated_by AS "UpdatedBy"
            FROM pipelines.definitions ORDER BY name
            """).ToListAsync(cancellation);
    }

    public async Task<DefinitionView?> FindAsync(string name, CancellationToken cancellation)
    {
        await using var db = database.Create();
        return await FindAsync(db, name, cancellation);
    }

    private static async Task<DefinitionView?> FindAsync(PipelinesDb db, string name, CancellationToken cancellation)
    {
        var rows = await db.Definitions.AsNoTracking().Where(row => row.Name == name).ToListAsync(cancellation);
        if (rows is not [var row])
            return null;
        var versions = await db.DefinitionVersions.Where(version => version.Name == name).OrderByDescending(version => version.Version)
            .Select(version => new VersionSummary(version.Version, version.PublishedAt, version.PublishedBy)).ToListAsync(cancellation);
        return new DefinitionView(row.Name, JsonElement.Parse(row.Draft), row.Revision, row.Published, versions);
    }

    /// <param name="version">Null for the one that was published last.</param>
    /// <returns>Null when there is none. Of a deleted definition, versions are found by their number.</returns>
    public async Task<VersionView?> FindVersionAsync(string name, int? version, CancellationToken cancellation)
    {
        await using var db = database.Create();
        return await FindVersionAsync(db, name, version, cancellation);
    }

    private static async Task<VersionView?> FindVersionAsync(PipelinesDb db, string name, int? version, CancellationToken cancellation)
    {
        var rows = await db.DefinitionVersions.AsNoTracking()
            .Where(row => row.Name == name && row.Version == (version ?? db.Definitions.Where(one => one.Name == name).Max(one => one.Published)))
            .ToListAsync(cancellation);
        return rows is [var found]
            ? new VersionView(found.Name, found.Version, JsonElement.Parse(found.Definition), found.PublishedAt, found.PublishedBy)
            : null;
    }

    /// <param name="revision">The one that the change began with; 0 for a new definition.</param>
    /// <param name="by">The name of the token; null without one.</param>
    /// <returns>The revision that this is.</returns>
    /// <exception cref="DefinitionException">Somebody else saved it meanwhile, or name or document cannot be kept.</exception>
    public async Task<int> SaveAsync(string name, JsonElement draft, int revision, string? by, CancellationToken cancellation)
    {
        if (revision == 0)
            CheckName(name);
        var text = Text(draft);
        await using var db = database.Create();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        if (await StoreAsync(db, name, text, revision, by, cancellation) == 0)
            throw await RefusalAsync(db, name, revision, "saved", cancellation);
        await Channels.NotifyAsync(db, Channels.Definitions, name, cancellation);
        await transaction.CommitAsync(cancellation);
        return revision + 1;
    }

    /// <summary>Makes the draft a version; what was published last, when nothing changed since.</summary>
    /// <param name="revision">The one that was checked.</param>
    /// <inheritdoc cref="SaveAsync" path="/param[@name='by']"/>
    /// <exception cref="DefinitionException">There is none, or somebody else saved it meanwhile.</exception>
    internal async Task<int> PublishAsync(string name, int revision, string? by, CancellationToken cancellation)
    {
        await using var db = database.Create();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        var rows = await db.Definitions
            .FromSql($"SELECT * FROM pipelines.definitions WHERE name = {name} AND revision = {revision} FOR UPDATE")
            .AsNoTracking().ToListAsync(cancellation);
        if (rows is not [var row])
            throw await RefusalAsync(db, name, revision, "published", cancellation);
        var last = row.Published is { } published ? await FindVersionAsync(db, name, published, cancellation) : null;
        var version = last?.Version ?? 0;
        if (last is null || !JsonElement.DeepEquals(last.Definition, JsonElement.Parse(row.Draft)))
        {
            // A deleted definition of this name left its versions; none may come to mean another.
            version = (await db.Database.SqlQuery<int>($"""
                INSERT INTO pipelines.definition_versions (name, version, definition, published_by)
                SELECT {name}, coalesce(max(version), 0) + 1, {row.Draft}::json, {by} FROM pipelines.definition_versions WHERE name = {name}
                RETURNING version AS "Value"
                """).ToListAsync(cancellation))[0];
        }

        await db.Database.ExecuteSqlAsync(
            $"UPDATE pipelines.definitions SET published = {version}, published_revision = revision WHERE name = {name}", cancellation);
        await Channels.NotifyAsync(db, Channels.Definitions, name, cancellation);
        await transaction.CommitAsync(cancellation);
        return version;
    }

    /// <summary>Takes it off the list. Its versions stay, for the runs that came from them and the workflows that name them.</summary>
    /// <exception cref="DefinitionException">There is none, or a schedule or a run that has not ended refers to it.</exception>
    public async Task DeleteAsync(string name, CancellationToken cancellation)
    {
        await using var db = database.Create();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        if (await db.Database.ExecuteSqlAsync($"DELETE FROM pipelines.definitions WHERE name = {name}", cancellation) == 0)
            throw await UnknownAsync(db, name, cancellation);
        var latest = DefinitionReference.Prefix + name;
        var users = await db.Database.SqlQuery<string>($"""
            SELECT 'schedule ' || name AS "Value" FROM pipelines.schedules
            WHERE jsonb_typeof(definition) = 'string' AND (definition #>> ARRAY[]::text[] = {latest} OR starts_with(definition #>> ARRAY[]::text[], {latest + "@"}))
            UNION ALL
            SELECT 'run ' || id FROM pipelines.runs WHERE state = 'running' AND name = {name} AND definition_version IS NOT NULL
            LIMIT 5
            """).ToListAsync(cancellation);
        if (users.Count > 0)
            throw new DefinitionException(DefinitionFault.InUse, $"'{name}' is in use by {string.Join(", ", users)}: remove the schedule or wait for the run first");
        await Channels.NotifyAsync(db, Channels.Definitions, name, cancellation);
        await transaction.CommitAsync(cancellation);
    }

    /// <returns>Names what there is.</returns>
    internal async Task<DefinitionException> UnknownAsync(string name, CancellationToken cancellation)
    {
        await using var db = database.Create();
        return await UnknownAsync(db, name, cancellation);
    }

    private static async Task<DefinitionException> UnknownAsync(PipelinesDb db, string name, CancellationToken cancellation)
    {
        var known = await db.Definitions.OrderBy(row => row.Name).Select(row => row.Name).Take(1000).ToListAsync(cancellation);
        return new DefinitionException(DefinitionFault.Unknown, $"there is no definition '{name}'{Suggestion.For(name, known)}");
    }

    private static async Task<int> StoreAsync(
        PipelinesDb db, string name, string text, int revision, string? by, CancellationToken cancellation)
    {
        try
        {
            // What does not become jsonb could never be the document of a run.
            return revision == 0
                ? await db.Database.ExecuteSqlAsync($"""
                    INSERT INTO pipelines.definitions (name, draft, revision, updated_by)
                    SELECT {name}, {text}::json, 1, {by} WHERE {text}::jsonb IS NOT NULL ON CONFLICT (name) DO NOTHING
                    """, cancellation)
                : await db.Database.ExecuteSqlAsync($"""
                    UPDATE pipelines.definitions SET draft = {text}::json, revision = revision + 1, updated_at = now(), updated_by = {by}
                    WHERE name = {name} AND revision = {revision} AND {text}::jsonb IS NOT NULL
                    """, cancellation);
        }
        catch (PostgresException error) when (error.SqlState.StartsWith("22", StringComparison.Ordinal))
        {
            throw new DefinitionException(DefinitionFault.Invalid, $"the document cannot be kept: {error.MessageText}{(error.Detail is { } detail ? $" ({detail})" : "")}");
        }
    }

    // In the same transaction: who waits for another connection while it holds one may wait for itself.
    private static async Task<DefinitionException> RefusalAsync(PipelinesDb db, string name, int revision, string done, CancellationToken cancellation)
    {
        if (await FindAsync(db, name, cancellation) is not { } current)
            return await UnknownAsync(db, name, cancellation);
        var message = revision == 0
            ? $"there is a definition '{name}' already, at revision {current.Revision}"
            : $"'{name}' is at revision {current.Revision}, and this began with {revision}: somebody else saved it before it was {done}";
        return new DefinitionException(DefinitionFault.Changed, message) { Current = current };
    }

    private static void CheckName(string name)
    {
        if (string.IsNullOrWhiteSpace(name) || name.Length > LongestName || name.Trim() != name || name is "." or ".."
            || name.AsSpan().ContainsAny("/\\@") || name.Any(char.IsControl))
        {
            throw new DefinitionException(DefinitionFault.Invalid, string.Create(CultureInfo.InvariantCulture,
                $"the name is '{name}': expected 1 to {LongestName} characters, no slashes, no @, no space at either end"));
        }
    }

    private static string Text(JsonElement draft)
    {
        if (draft.ValueKind != JsonValueKind.Object)
            throw new DefinitionException(DefinitionFault.Invalid, $"the document is {draft.ValueKind.ToString().ToLowerInvariant()}: expected an object");
        var text = draft.GetRawText();
        var size = Encoding.UTF8.GetByteCount(text);
        return size <= WorkflowFile.Largest
            ? text
            : throw new DefinitionException(DefinitionFault.TooLarge, $"the document has {size} bytes: expected {WorkflowFile.Largest} at most");
    }
}
