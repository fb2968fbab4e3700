using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace Pipelines.Storage;

/// <summary>Several commands in one message to the server and back, in the transaction that a <see cref="PipelinesDb"/> is in.</summary>
internal static class Batch
{
    /// <param name="text">With <c>@name</c> where a value goes.</param>
    public static NpgsqlBatchCommand Command(string text, params ReadOnlySpan<(string Name, object? Value)> values)
    {
        var command = new NpgsqlBatchCommand(text);
        foreach (var (name, value) in values)
            command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        return command;
    }

    public static async Task ExecuteAsync(
        PipelinesDb db, IEnumerable<NpgsqlBatchCommand> commands, CancellationToken cancellation)
    {
        await using var batch = Of(db, commands);
        await batch.ExecuteNonQueryAsync(cancellation);
    }

    /// <returns>What the commands gave, one result after the other.</returns>
    public static async Task<NpgsqlDataReader> ReadAsync(
        PipelinesDb db, IEnumerable<NpgsqlBatchCommand> commands, CancellationToken cancellation) =>
        await Of(db, commands).ExecuteReaderAsync(cancellation);

    private static NpgsqlBatch Of(PipelinesDb db, IEnumerable<NpgsqlBatchCommand> commands)
    {
        var batch = new NpgsqlBatch(
            (NpgsqlConnection)db.Database.GetDbConnection(), (NpgsqlTransaction?)db.Database.CurrentTransaction?.GetDbTransaction());
        foreach (var command in commands)
            batch.BatchCommands.Add(command);
        return batch;
    }
}
