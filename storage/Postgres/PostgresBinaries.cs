namespace Pipelines.Storage.Postgres;

/// <summary>The server's programs of one version, on this machine.</summary>
/// <param name="Major">15, 16, …; null when found on the path, where no folder says it.</param>
internal sealed record PostgresBinaries(string Folder, int? Major)
{
    public string InitDb => Path.Combine(Folder, "initdb");
    public string PgCtl => Path.Combine(Folder, "pg_ctl");

    /// <summary>Where Debian's packages put each version, then the search path.</summary>
    public static IReadOnlyList<PostgresBinaries> Installed()
    {
        const string packages = "/usr/lib/postgresql";
        var versions = Directory.Exists(packages)
            ? Directory.GetDirectories(packages)
                .Where(folder => int.TryParse(Path.GetFileName(folder), out _))
                .Select(folder => new PostgresBinaries(Path.Combine(folder, "bin"), int.Parse(Path.GetFileName(folder), null)))
                .OrderByDescending(version => version.Major)
            : Enumerable.Empty<PostgresBinaries>();
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries);
        return [.. versions.Concat(path.Select(folder => new PostgresBinaries(folder, null))).Where(version => version.Exist)];
    }

    private bool Exist => File.Exists(InitDb) && File.Exists(PgCtl) && File.Exists(Path.Combine(Folder, "postgres"));

    /// <param name="cluster">The version that made the cluster; null for a new one.</param>
    /// <exception cref="DatabaseException">Says which package to install.</exception>
    public static PostgresBinaries Choose(IReadOnlyList<PostgresBinaries> installed, int? cluster, string folder)
    {
        if (cluster is null)
        {
            return installed.Count > 0
                ? installed[0]
                : throw new DatabaseException(
                    "PostgreSQL is not installed: found initdb neither in /usr/lib/postgresql/*/bin nor on the PATH. "
                    + "Install it (apt-get install postgresql), or name a database to use");
        }

        return installed.FirstOrDefault(version => version.Major == cluster)
            ?? installed.FirstOrDefault(version => version.Major is null)
            ?? throw new DatabaseException(
                $"the database in {folder} was made by PostgreSQL {cluster}, which is not installed: "
                + $"install it (apt-get install postgresql-{cluster}), or name a database to use");
    }
}
