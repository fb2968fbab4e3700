using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>The non-linearity of an MLP, under its name in a config.</summary>
public enum Activation
{
    Silu,
    Relu,

    /// <summary>With the error function.</summary>
    Gelu,

    /// <summary>GPT-2's approximation by tanh (Hendrycks and Gimpel, arXiv:1606.08415, section 2).</summary>
    GeluTanh,
}

public static class Activations
{
    private static readonly Dictionary<string, Activation> Names = new()
    {
        ["silu"] = Activation.Silu,
        ["swish"] = Activation.Silu,
        ["relu"] = Activation.Relu,
        ["gelu"] = Activation.Gelu,
        ["gelu_new"] = Activation.GeluTanh,
        ["gelu_pytorch_tanh"] = Activation.GeluTanh,
    };

    internal static Activation Parse(ConfigFields fields, string field, string standard)
    {
        var name = fields.Text(field, standard);
        return Names.TryGetValue(name, out var activation)
            ? activation
            : throw new ModelException($"{fields.Path}: {field} is '{name}': expected {string.Join(", ", Names.Keys)}");
    }

    /// <summary>Of a tensor of any shape; in place where no gradient is recorded and the operator allows it.</summary>
    public static Tensor Apply(this Activation activation, Tensor x) => activation switch
    {
        Activation.Silu => nn.functional.silu(x, inplace: !is_grad_enabled()),
        Activation.Relu => nn.functional.relu(x, inplace: !is_grad_enabled()),
        Activation.Gelu => nn.functional.gelu(x),
        _ => x * 0.5 * (1 + ((x + x.pow(3) * 0.044715) * Math.Sqrt(2 / Math.PI)).tanh()),
    };
}
