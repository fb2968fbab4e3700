namespace Pipelines.Engine;

/// <summary>Something that the user can act on: no database, no such run, a run that does not allow the call.</summary>
public class EngineException : Exception
{
    public EngineException(string message)
        : base(message)
    {
    }

    public EngineException(string message, Exception? inner)
        : base(message, inner)
    {
    }
}
