using TorchSharp.Modules;

namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        public static class utils
        {
            /// <summary>Scales all gradients together, to a norm of at most <paramref name="max_norm"/>.</summary>
            /// <returns>The norm before.</returns>
            public static double clip_grad_norm_(
                IEnumerable<Parameter> tensors, double max_norm, double norm_type = 2)
            {
                using var quiet = no_grad();
                using var scope = NewDisposeScope();
                var gradients = Gradients(tensors);
                if (gradients.Count == 0)
                    return 0;
                var p = (float)norm_type;
                var norms = stack(gradients.Select(gradient => gradient.norm(p).to(gradients[0].device)));
                var total = norms.norm(p).ToDouble();
                var scale = max_norm / (total + 1e-6);
                // A norm that is not a number scales nothing, so that the caller sees the number itself.
                if (scale < 1)
                    gradients.ForEach(gradient => gradient.mul_(scale));
                return total;
            }

            public static void clip_grad_value_(IEnumerable<Parameter> tensors, double clip_value)
            {
                using var quiet = no_grad();
                using var scope = NewDisposeScope();
                Gradients(tensors).ForEach(gradient => gradient.clamp_((Scalar)(-clip_value), (Scalar)clip_value));
            }

            private static List<Tensor> Gradients(IEnumerable<Parameter> tensors) =>
                [.. tensors.Select(tensor => tensor.grad).OfType<Tensor>()];
        }
    }
}
