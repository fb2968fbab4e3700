namespace Pipelines.Storage.Postgres;

internal sealed record PostgresOptions(string DataFolder, TimeProvider Time)
{
    public IReadOnlyList<PostgresBinaries> Installed { get; init; } = PostgresBinaries.Installed();

    /// <summary>False only where losing everything with the machine is fine: in tests.</summary>
    public bool Durable { get; init; } = true;

    /// <summary>The server's settings; few connections from few processes, on a machine that has better use for memory.</summary>
    public string Settings(string socket) => $"""
        listen_addresses = ''
        port = 5432
        unix_socket_directories = '{socket.Replace("'", "''", StringComparison.Ordinal)}'
        max_connections = 200
        shared_buffers = '64MB'
        max_wal_size = '512MB'
        wal_level = minimal
        max_wal_senders = 0
        jit = off
        timezone = 'UTC'
        log_line_prefix = '%m [%p] '
        log_checkpoints = off
        {(Durable ? "" : "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n")}
        """;
}
