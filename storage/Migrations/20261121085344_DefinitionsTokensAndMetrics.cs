using System;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace Pipelines.Storage.Migrations
{
    /// <inheritdoc />
    public partial class DefinitionsTokensAndMetrics : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string[]>(
                name: "makes",
                schema: "pipelines",
                table: "stages",
                type: "text[]",
                nullable: false,
                defaultValueSql: "'{}'");

            migrationBuilder.AddColumn<string[]>(
                name: "takes",
                schema: "pipelines",
                table: "stages",
                type: "text[]",
                nullable: false,
                defaultValueSql: "'{}'");

            migrationBuilder.AddColumn<int>(
                name: "definition_version",
                schema: "pipelines",
                table: "runs",
                type: "integer",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "started_by",
                schema: "pipelines",
                table: "runs",
                type: "text",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "audit",
                schema: "pipelines",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "clock_timestamp()"),
                    who = table.Column<string>(type: "text", nullable: true),
                    action = table.Column<string>(type: "text", nullable: false),
                    target = table.Column<string>(type: "text", nullable: false),
                    status = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("audit_pkey", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "definition_versions",
                schema: "pipelines",
                columns: table => new
                {
                    name = table.Column<string>(type: "text", nullable: false),
                    version = table.Column<int>(type: "integer", nullable: false),
                    definition = table.Column<string>(type: "json", nullable: false),
                    published_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()"),
                    published_by = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("definition_versions_pkey", x => new { x.name, x.version });
                });

            migrationBuilder.CreateTable(
                name: "definitions",
                schema: "pipelines",
                columns: table => new
                {
                    name = table.Column<string>(type: "text", nullable: false),
                    draft = table.Column<string>(type: "json", nullable: false),
                    revision = table.Column<int>(type: "integer", nullable: false),
                    published = table.Column<int>(type: "integer", nullable: true),
                    published_revision = table.Column<int>(type: "integer", nullable: true),
                    updated_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()"),
                    updated_by = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("definitions_pkey", x => x.name);
                });

            migrationBuilder.CreateTable(
                name: "stage_metrics",
                schema: "pipelines",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    run_id = table.Column<Guid>(type: "uuid", nullable: false),
                    stage = table.Column<string>(type: "text", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    step = table.Column<long>(type: "bigint", nullable: false),
                    value = table.Column<double>(type: "double precision", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("stage_metrics_pkey", x => x.id);
                    table.ForeignKey(
                        name: "stage_metrics_stage_fkey",
                        columns: x => new { x.run_id, x.stage },
                        principalSchema: "pipelines",
                        principalTable: "stages",
                        principalColumns: new[] { "run_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "tokens",
                schema: "pipelines",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    hash = table.Column<byte[]>(type: "bytea", nullable: false),
                    role = table.Column<string>(type: "text", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()"),
                    expires_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    revoked_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    used_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("tokens_pkey", x => x.id);
                    table.CheckConstraint("tokens_role", "role IN ('viewer', 'operator', 'admin')");
                });

            migrationBuilder.CreateIndex(
                name: "stages_makes",
                schema: "pipelines",
                table: "stages",
                column: "makes")
                .Annotation("Npgsql:IndexMethod", "gin");

            migrationBuilder.CreateIndex(
                name: "stages_takes",
                schema: "pipelines",
                table: "stages",
                column: "takes")
                .Annotation("Npgsql:IndexMethod", "gin");

            migrationBuilder.CreateIndex(
                name: "stage_metrics_of_stage",
                schema: "pipelines",
                table: "stage_metrics",
                columns: new[] { "run_id", "stage", "id" });

            migrationBuilder.CreateIndex(
                name: "tokens_hash",
                schema: "pipelines",
                table: "tokens",
                column: "hash",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "tokens_name",
                schema: "pipelines",
                table: "tokens",
                column: "name",
                unique: true,
                filter: "revoked_at IS NULL");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "audit",
                schema: "pipelines");

            migrationBuilder.DropTable(
                name: "definition_versions",
                schema: "pipelines");

            migrationBuilder.DropTable(
                name: "definitions",
                schema: "pipelines");

            migrationBuilder.DropTable(
                name: "stage_metrics",
                schema: "pipelines");

            migrationBuilder.DropTable(
                name: "tokens",
                schema: "pipelines");

            migrationBuilder.DropIndex(
                name: "stages_makes",
                schema: "pipelines",
                table: "stages");

            migrationBuilder.DropIndex(
                name: "stages_takes",
                schema: "pipelines",
                table: "stages");

            migrationBuilder.DropColumn(
                name: "makes",
                schema: "pipelines",
                table: "stages");

            migrationBuilder.DropColumn(
                name: "takes",
                schema: "pipelines",
                table: "stages");

            migrationBuilder.DropColumn(
                name: "definition_version",
                schema: "pipelines",
                table: "runs");

            migrationBuilder.DropColumn(
                name: "started_by",
                schema: "pipelines",
                table: "runs");
        }
    }
}
