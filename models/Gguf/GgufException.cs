namespace Pipelines.Models;

/// <summary>A GGUF file that is not one, or a model that GGUF cannot say: the message names the file or tensor and the reason.</summary>
public sealed class GgufException : ModelException
{
    public GgufException(string message)
        : base(message)
    {
    }

    public GgufException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
