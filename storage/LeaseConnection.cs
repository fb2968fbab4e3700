using Npgsql;

namespace Pipelines.Storage;

/// <summary>
/// Renews the leases of one worker's stages, on a connection of its own and without the thread pool: neither a pool that
/// is used up nor a native call of hours keeps a living worker from saying so.
/// </summary>
internal sealed class LeaseConnection(Database database, WorkerRow worker, TimeSpan lease) : IDisposable
{
    /// <summary>A server that does not answer for this long is taken to be gone: the connection is opened again.</summary>
    private const int AnswerSeconds = 5;

    private NpgsqlConnection? connection;

    /// <summary>Blocks until the database has answered.</summary>
    /// <param name="mine">
    /// What this process knows that it runs. A claim whose answer got lost is not among it, and lapses: nobody runs it.
    /// </param>
    /// <exception cref="NpgsqlException">It is away; the next call opens a new connection.</exception>
    public Renewal Renew(IReadOnlyCollection<StageKey> mine)
    {
        try
        {
            connection ??= database.Source.OpenConnection();
            using var command = new NpgsqlCommand("""
                INSERT INTO pipelines.workers (id, host, pid, groups, slots, slots_by_group, devices)
                    VALUES (@id, @host, @pid, @groups, @slots, @slots_by_group::jsonb, @devices)
                    ON CONFLICT (id) DO UPDATE SET seen_at = clock_timestamp()
                    RETURNING drain_requested_at IS NOT NULL, coalesce(drain_requested_at = '-infinity', false);
                UPDATE pipelines.stages s SET lease_until = clock_timestamp() + @lease
                    FROM unnest(@runs, @stages, @attempts) AS mine(run_id, id, attempt) JOIN pipelines.runs r ON r.id = mine.run_id
                    WHERE s.run_id = mine.run_id AND s.id = mine.id AND s.attempt = mine.attempt AND s.state = 'running'
                    RETURNING s.run_id, s.id, s.attempt, r.cancel_requested_at IS NOT NULL
                """, connection) { CommandTimeout = AnswerSeconds };
            command.Parameters.AddWithValue("id", worker.Id);
            command.Parameters.AddWithValue("host", worker.Host);
            command.Parameters.AddWithValue("pid", worker.Pid);
            command.Parameters.AddWithValue("groups", worker.Groups);
            command.Parameters.AddWithValue("slots", worker.Slots);
            command.Parameters.AddWithValue("slots_by_group", worker.SlotsByGroup);
            command.Parameters.AddWithValue("devices", worker.Devices);
            command.Parameters.AddWithValue("lease", lease);
            command.Parameters.AddWithValue("runs", mine.Select(stage => stage.Run).ToArray());
            command.Parameters.AddWithValue("stages", mine.Select(stage => stage.Stage).ToArray());
            command.Parameters.AddWithValue("attempts", mine.Select(stage => stage.Attempt).ToArray());
            using var reader = command.ExecuteReader();
            reader.Read();
            DrainOrder? drain = !reader.GetBoolean(0) ? null : reader.GetBoolean(1) ? DrainOrder.HandBack : DrainOrder.Finish;
            reader.NextResult();
            var held = new HashSet<StageKey>();
            var cancelled = new HashSet<Guid>();
            while (reader.Read())
            {
                held.Add(new StageKey(reader.GetGuid(0), reader.GetString(1), reader.GetInt32(2)));
                if (reader.GetBoolean(3))
                    cancelled.Add(reader.GetGuid(0));
            }

            return new Renewal(held, cancelled, drain);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        connection?.Dispose();
        connection = null;
    }
}

/// <param name="Held">The attempts whose lease was renewed; what else this worker runs was given to another.</param>
/// <param name="Cancelled">Runs that it works for although they were cancelled: the word may have got lost.</param>
/// <param name="Drain">What it was told to do with what it runs before it leaves; null when it may stay.</param>
internal sealed record Renewal(IReadOnlySet<StageKey> Held, IReadOnlySet<Guid> Cancelled, DrainOrder? Drain);

internal enum DrainOrder
{
    Finish,
    HandBack,
}
