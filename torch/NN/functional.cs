using TorchSharp.Interop;

namespace TorchSharp;

/// <summary>How <c>pad</c> fills what it adds.</summary>
public enum PaddingModes
{
    Zeros = 0,
    Reflect = 1,
    Replicate = 2,
    Circular = 3,
    Constant = 4,
}

public static partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            /// <summary><c>input @ weightsᵀ + bias</c>: [..., in] with [out, in] gives [..., out].</summary>
            public static Tensor linear(Tensor input, Tensor weights, Tensor? bias = null) =>
                Aten.Call("linear", input, weights, bias);

            public static Tensor one_hot(Tensor x, long num_classes = -1) => Aten.Call("one_hot", x, num_classes);

            /// <summary>[N, C·r², H, W] as [N, C, H·r, W·r]: the r² channels that follow each other become the cells of an r × r square.</summary>
            public static Tensor pixel_shuffle(Tensor x, long upscale_factor) => Aten.Call("pixel_shuffle", x, upscale_factor);

            public static Tensor dropout(Tensor input, double p = 0.5, bool training = true, bool inplace = false) =>
                inplace ? Aten.Change("dropout_", input, p, training) : Aten.Call("dropout", input, p, training);

            public static Tensor layer_norm(
                Tensor input, long[] normalized_shape, Tensor? weight = null, Tensor? bias = null, double eps = 1e-5) =>
                Aten.Call("layer_norm", input, normalized_shape, weight, bias, eps);

            public static Tensor group_norm(
                Tensor input, long num_groups, Tensor? weight = null, Tensor? bias = null, double eps = 1e-5) =>
                Aten.Call("group_norm", input, num_groups, weight, bias, eps);

            /// <summary>In training it normalizes by the batch and updates the running values in place.</summary>
            public static Tensor batch_norm(
                Tensor input, Tensor? running_mean, Tensor? running_var, Tensor? weight = null, Tensor? bias = null,
                bool training = false, double momentum = 0.1, double eps = 1e-5) =>
                Aten.Call(
                    "batch_norm", input, weight, bias, running_mean, running_var, training, momentum, eps, true);

            public static Tensor normalize(Tensor input, double p = 2, long dim = 1, double eps = 1e-12)
            {
                using var length = Aten.Call("norm.ScalarOpt_dim", input, p, dim, true);
                using var safe = length.clamp_min(eps);
                return input.div(safe);
            }

            public static Tensor cosine_similarity(Tensor x1, Tensor x2, long dim = 1, double eps = 1e-8) =>
                Aten.Call("cosine_similarity", x1, x2, dim, eps);

            /// <summary>
            /// Softmax of <c>query @ keyᵀ / sqrt(d)</c> times value, from [..., L, d], [..., S, d] and [..., S, v]. A
            /// mask adds to the scores, or where it is boolean allows; <paramref name="is_casual"/> (TorchSharp's
            /// spelling) lets no position look ahead.
            /// </summary>
            public static Tensor scaled_dot_product_attention(
                Tensor query, Tensor key, Tensor value, Tensor? attn_mask = null, double p = 0, bool is_casual = false)
            {
                if (Aten.Exists("scaled_dot_product_attention"))
                    return Aten.Call("scaled_dot_product_attention", query, key, value, attn_mask, p, is_casual);
                // LibTorch 1.13 has it under this name, with the attention weights as a second result.
                var (output, weights) = Aten.CallTwo(
                    "_scaled_dot_product_attention", query, key, value, attn_mask, p, false, is_casual);
                weights?.Dispose();
                return output;
            }

            public static Tensor pad(
                Tensor input, long[] pad, PaddingModes mode = PaddingModes.Constant, double value = 0) =>
                mode is PaddingModes.Constant or PaddingModes.Zeros
                    ? Aten.Call("constant_pad_nd", input, pad, value)
                    : Aten.Call("pad", input, pad, mode.ToString().ToLowerInvariant());
        }
    }
}
