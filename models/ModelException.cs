namespace Pipelines.Models;

/// <summary>A checkpoint that cannot be loaded: the message names the file or tensor, the value and what was expected.</summary>
public class ModelException : Exception
{
    public ModelException(string message)
        : base(message)
    {
    }

    public ModelException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
