namespace Pipelines.Models;

/// <summary>A tokenizer's file cannot be used, or a text or an id does not fit its vocabulary.</summary>
public sealed class TokenizerException : ModelException
{
    public TokenizerException(string message)
        : base(message)
    {
    }

    public TokenizerException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
