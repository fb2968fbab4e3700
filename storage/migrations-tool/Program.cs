using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations.Design;
using Microsoft.EntityFrameworkCore.Migrations.Internal;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL.Design.Internal;
using Pipelines.Storage;

// dotnet run --project storage/migrations-tool NameOfTheMigration
if (args is not [var name])
{
    Console.Error.WriteLine("which name shall the migration have? (AddSchedules)");
    return 2;
}

await using var source = NpgsqlDataSource.Create("Host=unused"); // the model needs a provider, not a server
await using var db = new PipelinesDb(Database.Options(source));
if (!db.Database.HasPendingModelChanges())
{
    Console.Error.WriteLine("the migrations already make the tables that the model describes");
    return 1;
}

var services = new ServiceCollection().AddEntityFrameworkDesignTimeServices().AddDbContextDesignTimeServices(db);
new NpgsqlDesignTimeServices().ConfigureDesignTimeServices(services); // last: what is there already stays
services.AddSingleton<ISnapshotModelProcessor, Snapshots>(); // EF's own gives nothing here, so every migration would begin at nothing
await using var design = services.BuildServiceProvider();

var scaffolder = design.GetRequiredService<IMigrationsScaffolder>();
var migration = scaffolder.ScaffoldMigration(name, "Pipelines.Storage", "Migrations");
var files = scaffolder.Save("storage", migration, outputDir: "storage/Migrations", dryRun: false);
Console.WriteLine(files.MigrationFile);
return 0;

/// <summary>Makes the model of the last migration ready to be compared with today's.</summary>
internal sealed class Snapshots(IModelRuntimeInitializer initializer) : ISnapshotModelProcessor
{
    public IModel? Process(IReadOnlyModel? model, bool resetVersion = false) =>
        model is IModel snapshot ? initializer.Initialize(snapshot, designTime: true, validationLogger: null) : null;
}
