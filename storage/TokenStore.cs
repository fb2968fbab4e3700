using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Pipelines.Workflows;

namespace Pipelines.Storage;

/// <summary>Who may ask the server for what. A token is shown once, when it is made; only its hash is kept.</summary>
public sealed class TokenStore
{
    /// <summary>What every token begins with, so that one is known for what it is wherever it lies about.</summary>
    public const string Prefix = "pl_";

    private const int Bytes = 32;
    private const int LongestName = 64;

    private readonly Database database;

    internal TokenStore(Database database) => this.database = database;

    /// <param name="lifetime">Null for one that does not expire.</param>
    /// <returns>The token itself.</returns>
    /// <exception cref="TokenException">The name is none, or taken.</exception>
    public async Task<(TokenView View, string Token)> AddAsync(string name, Role role, TimeSpan? lifetime, CancellationToken cancellation)
    {
        if (name.Length is 0 or > LongestName || !name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.' or '@'))
            throw new TokenException(TokenFault.Invalid, $"the name is '{name}': expected 1 to {LongestName} letters, digits, '-', '_', '.' and '@'");
        if (lifetime is { } given && (given <= TimeSpan.Zero || given > TimeSpan.FromDays(36500)))
            throw new TokenException(TokenFault.Invalid, $"the token would expire {given} after now: expected a time to come, within a hundred years");
        var token = Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(Bytes));
        await using var db = database.Create();
        try
        {
            await db.Database.ExecuteSqlAsync($"""
                INSERT INTO pipelines.tokens (id, name, hash, role, expires_at)
                VALUES ({Guid.CreateVersion7()}, {name}, {Hash(token)}, {Json.Write(role).GetString()}, now() + {lifetime}::interval)
                """, cancellation);
        }
        catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            throw new TokenException(TokenFault.Taken, $"there is a token '{name}' already: revoke it first, or choose another name");
        }

        return ((await ListAsync(cancellation)).Last(view => view.Name == name && view.Revoked is null), token);
    }

    /// <summary>The oldest first; those that were revoked too.</summary>
    public async Task<IReadOnlyList<TokenView>> ListAsync(CancellationToken cancellation)
    {
        await using var db = database.Create();
        return await db.Tokens.OrderBy(row => row.CreatedAt)
            .Select(row => new TokenView(row.Name, row.Role, row.CreatedAt, row.ExpiresAt, row.RevokedAt, row.UsedAt)).ToListAsync(cancellation);
    }

    /// <exception cref="TokenException">There is none of this name that is not revoked.</exception>
    public async Task RevokeAsync(string name, CancellationToken cancellation)
    {
        await using var db = database.Create();
        if (await db.Database.ExecuteSqlAsync(
            $"UPDATE pipelines.tokens SET revoked_at = now() WHERE name = {name} AND revoked_at IS NULL", cancellation) == 1)
        {
            return;
        }

        var known = await db.Tokens.Where(row => row.RevokedAt == null).Select(row => row.Name).ToListAsync(cancellation);
        throw new TokenException(TokenFault.Unknown, $"there is no token '{name}'{Suggestion.For(name, known)}");
    }

    /// <summary>Notes that it was used, to the minute.</summary>
    /// <returns>Null when it is unknown, expired or revoked.</returns>
    public async Task<TokenView?> UseAsync(string token, CancellationToken cancellation)
    {
        if (!token.StartsWith(Prefix, StringComparison.Ordinal))
            return null;
        var hash = Hash(token);
        await using var db = database.Create();
        var found = await db.Tokens.FromSql($"""
            SELECT * FROM pipelines.tokens WHERE hash = {hash} AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
            """).AsNoTracking().ToListAsync(cancellation);
        if (found is not [var row])
            return null;
        // A write for each request would cost more than the request.
        await db.Database.ExecuteSqlAsync($"""
            UPDATE pipelines.tokens SET used_at = now()
            WHERE id = {row.Id} AND (used_at IS NULL OR used_at < now() - interval '1 minute')
            """, cancellation);
        return new TokenView(row.Name, row.Role, row.CreatedAt, row.ExpiresAt, row.RevokedAt, row.UsedAt);
    }

    private static byte[] Hash(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}

/// <param name="Used">When it was last used, to the minute.</param>
public sealed record TokenView(
    string Name, Role Role, DateTimeOffset Created, DateTimeOffset? Expires, DateTimeOffset? Revoked, DateTimeOffset? Used);

public enum TokenFault
{
    Unknown,
    Invalid,
    Taken,
}

/// <summary>What was asked of a token and is refused. The message says why.</summary>
public sealed class TokenException(TokenFault fault, string message) : Exception(message)
{
    public TokenFault Fault => fault;
}
