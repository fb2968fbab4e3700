namespace Pipelines.Models;

/// <summary>A safetensors file that is not one: the message names the file, the tensor, the value and what was expected.</summary>
public sealed class SafetensorsException : ModelException
{
    public SafetensorsException(string message)
        : base(message)
    {
    }

    public SafetensorsException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
