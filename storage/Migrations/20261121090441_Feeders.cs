using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Pipelines.Storage.Migrations
{
    /// <inheritdoc />
    public partial class Feeders : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string[]>(
                name: "feeders",
                schema: "pipelines",
                table: "stages",
                type: "text[]",
                nullable: false,
                defaultValueSql: "'{}'");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "feeders",
                schema: "pipelines",
                table: "stages");
        }
    }
}
