using System.Security.Cryptography;
using System.Text;

namespace Pipelines.Storage.Postgres;

/// <summary>The folders of the private cluster.</summary>
/// <param name="Home">Holds <c>data</c> and <c>log</c>; owned by the server's account.</param>
/// <param name="Socket">The folder of its socket; only that account may enter it.</param>
internal sealed record ClusterPlace(string Home, string Socket)
{
    // sun_path holds 108 bytes, the last of them 0.
    private const int LongestSocketPath = 107;
    private const string SocketName = "/.s.PGSQL.5432";

    public string Data => Path.Combine(Home, "data");
    public string Log => Path.Combine(Home, "log");
    public string SocketLock => Socket + SocketName + ".lock";
    public string PidFile => Path.Combine(Data, "postmaster.pid");

    /// <summary>
    /// <c>DATA/postgres</c>, unless the server's account cannot get there: below root's home, say. Then it is a folder of
    /// its own elsewhere, and <c>DATA/postgres.place</c> says where.
    /// </summary>
    public static async Task<ClusterPlace> FindAsync(
        string dataFolder, ServerAccount account, CancellationToken cancellation)
    {
        var note = Path.Combine(dataFolder, "postgres.place");
        var home = Path.Combine(dataFolder, "postgres");
        if (File.Exists(note))
        {
            home = (await File.ReadAllTextAsync(note, cancellation)).Trim();
        }
        else if (account.Name is not null && !Directory.Exists(Path.Combine(home, "data")))
        {
            LetPass(dataFolder);
            if (!await account.MayEnterAsync(dataFolder, cancellation))
            {
                home = Path.Combine("/var/lib/pipelines/clusters", ShortName(dataFolder));
                Directory.CreateDirectory(Path.GetDirectoryName(home)!);
                await File.WriteAllTextAsync(note, home + "\n", cancellation);
            }
        }

        if (!Directory.Exists(home))
            await account.OwnAsync(home, cancellation);
        var socket = Path.Combine(home, "socket");
        if (Encoding.UTF8.GetByteCount(socket + SocketName) > LongestSocketPath)
            socket = ShortSocket(account, ShortName(dataFolder));
        await account.OwnAsync(socket, cancellation);
        return new ClusterPlace(home, socket);
    }

    // Directly in /tmp, where nobody can put something else in its place once it is ours.
    private static string ShortSocket(ServerAccount account, string name) =>
        account.Name is not null ? $"/run/pipelines-{name}"
        : Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 and < 60 } folder
            ? Path.Combine(folder, $"pipelines-{name}")
        : $"/tmp/pipelines-{name}";

    /// <summary>Others may pass through our own folder; what is in it keeps its own rights.</summary>
    private static void LetPass(string folder)
    {
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(folder, File.GetUnixFileMode(folder) | UnixFileMode.OtherExecute);
    }

    private static string ShortName(string dataFolder) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(dataFolder)))[..16];
}
