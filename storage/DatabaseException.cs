namespace Pipelines.Storage;

/// <summary>The database cannot be started, reached or brought up to date; the message is for the user.</summary>
internal sealed class DatabaseException : Exception
{
    public DatabaseException(string message)
        : base(message)
    {
    }

    public DatabaseException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
