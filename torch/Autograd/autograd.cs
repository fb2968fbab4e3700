using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    public static partial class autograd
    {
        /// <summary>
        /// The gradient of the outputs' sum with respect to each input, without touching <see cref="Tensor.grad"/>.
        /// With <paramref name="create_graph"/> it can be differentiated again. Null where an input was not used and
        /// <paramref name="allow_unused"/> is set.
        /// </summary>
        public static unsafe IList<Tensor> grad(
            IList<Tensor> outputs, IList<Tensor> inputs, IList<Tensor>? grad_outputs = null, bool retain_graph = false,
            bool create_graph = false, bool allow_unused = false)
        {
            var results = new nint[inputs.Count];
            fixed (nint* outs = Handles(outputs), ins = Handles(inputs), grads = Handles(grad_outputs))
            fixed (nint* found = results)
            {
                TorchException.Check(
                    LibTorch.pt_grad(
                        outs, outputs.Count, ins, inputs.Count, grads, grad_outputs?.Count ?? 0,
                        retain_graph || create_graph, create_graph, allow_unused, found),
                    nameof(grad), outputs.Concat(inputs));
            }

            GC.KeepAlive((outputs, inputs, grad_outputs));
            return [.. results.Select(handle => handle == 0 ? null! : new Tensor(handle))];
        }

        public static unsafe void backward(
            IList<Tensor> tensors, IList<Tensor>? grad_tensors = null, bool? retain_graph = null,
            bool create_graph = false, IList<Tensor>? inputs = null)
        {
            fixed (nint* outs = Handles(tensors), grads = Handles(grad_tensors), ins = Handles(inputs))
            {
                TorchException.Check(
                    LibTorch.pt_backward(
                        outs, tensors.Count, grads, grad_tensors?.Count ?? 0, retain_graph ?? create_graph,
                        create_graph, ins, inputs?.Count ?? 0),
                    nameof(backward), tensors);
            }

            GC.KeepAlive((tensors, grad_tensors, inputs));
        }

        public static void backward(
            Tensor tensor, IList<Tensor>? grad_tensors = null, bool? retain_graph = null, bool create_graph = false,
            IList<Tensor>? inputs = null) =>
            backward([tensor], grad_tensors, retain_graph, create_graph, inputs);

        internal static nint[] Handles(IEnumerable<Tensor?>? tensors) =>
            tensors is null ? [] : [.. tensors.Select(tensor => tensor?.Handle ?? 0)];
    }
}
