using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Pipelines.Storage;

internal sealed class Database
{
    public static DbContextOptions<PipelinesDb> Options(NpgsqlDataSource source) =>
        new DbContextOptionsBuilder<PipelinesDb>()
            .UseNpgsql(source, npgsql => npgsql.MigrationsHistoryTable(PipelinesDb.MigrationsTable, PipelinesDb.Schema))
            .Options;
}
