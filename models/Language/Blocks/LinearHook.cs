using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>
/// Is shown what goes into and comes out of every linear of a block, and may put something else in its place: what
/// measures activations, and what gates them, is such a hook. Linears that read the same tensor are shown the same object.
/// </summary>
public abstract class LinearHook
{
    /// <summary>Whether a block goes on as if it had no attention, or no MLP.</summary>
    /// <param name="half">The <see cref="Attention"/> or the <see cref="Mlp"/>.</param>
    public virtual bool Skips(object half) => false;

    /// <param name="input">[B, T, in].</param>
    /// <returns>What the linear reads instead; the input itself to leave it.</returns>
    public virtual Tensor Before(Linear linear, Tensor input) => input;

    /// <param name="output">[B, T, out].</param>
    /// <returns>What goes on instead; the output itself to leave it.</returns>
    public virtual Tensor After(Linear linear, Tensor output) => output;
}

/// <summary>Shows every linear and its input, and changes nothing.</summary>
public sealed class InputHook(Action<Linear, Tensor> observe) : LinearHook
{
    public override Tensor Before(Linear linear, Tensor input)
    {
        observe(linear, input);
        return input;
    }
}
