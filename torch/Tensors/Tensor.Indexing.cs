using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        /// <summary>
        /// Python's indexing. Numbers, slices, ellipsis and new axes give a view; a tensor among them gives a copy.
        /// Assigning writes into this tensor, broadcasting the value.
        /// </summary>
        public Tensor this[params TensorIndex[] indices]
        {
            get => index(indices);
            set => index_put_(value, indices);
        }

        public Tensor this[params Tensor[] indices]
        {
            get => index(indices);
            set => index_put_(value, indices);
        }

        public Tensor this[long i1]
        {
            get => select(0, i1);
            set => index_put_(value, Singles(i1), false);
        }

        public Tensor this[long i1, long i2]
        {
            get => index(Singles(i1, i2));
            set => index_put_(value, Singles(i1, i2), false);
        }

        public Tensor this[long i1, long i2, long i3]
        {
            get => index(Singles(i1, i2, i3));
            set => index_put_(value, Singles(i1, i2, i3), false);
        }

        public Tensor this[params long[] indices]
        {
            get => index(Singles(indices));
            set => index_put_(value, Singles(indices), false);
        }

        public Tensor index(params TensorIndex[] indices)
        {
            var (view, selectors) = View(indices);
            if (selectors is null)
                return view;
            using (view)
                return Aten.Call("index.Tensor", view, selectors);
        }

        public Tensor index(params Tensor[] indices) => Aten.Call("index.Tensor", this, indices);

        public Tensor index_put_(Tensor value, params TensorIndex[] indices) => index_put_(value, indices, false);

        /// <summary>Writes; with <paramref name="accumulate"/> adds, counting repeated indices each time.</summary>
        public Tensor index_put_(Tensor value, TensorIndex[] indices, bool accumulate = false)
        {
            var (view, selectors) = View(indices);
            using (view)
            {
                if (selectors is not null)
                    Aten.Change("index_put_", view, selectors, value, accumulate);
                else if (accumulate)
                    view.add_(value);
                else
                    view.copy_(value);
            }

            return this;
        }

        public Tensor index_put_(Tensor value, params Tensor[] indices) => index_put_(value, indices, false);

        public Tensor index_put_(Tensor value, Tensor[] indices, bool accumulate = false) =>
            Aten.Change("index_put_", this, indices, value, accumulate);

        public Tensor index_put_(Scalar value, params TensorIndex[] indices)
        {
            using var filled = torch.full([], value, dtype, device);
            return index_put_(filled, indices, false);
        }

        private static TensorIndex[] Singles(params long[] indices) => [.. indices.Select(i => TensorIndex.Single(i))];

        // The view that all but tensor indices make, and the tensor indices at its dimensions (null for a whole one).
        private (Tensor View, Tensor?[]? Selectors) View(TensorIndex[] indices)
        {
            var view = alias();
            Tensor?[]? selectors = null;
            var dim = 0;
            foreach (var index in indices)
            {
                var before = view;
                switch (index.Type)
                {
                    case TensorIndex.Kind.Single:
                        view = view.select(dim, index.Start ?? 0);
                        break;
                    case TensorIndex.Kind.Slice:
                        view = Aten.Call("slice.Tensor", view, dim++, index.Start, index.Stop, index.Step ?? 1);
                        break;
                    case TensorIndex.Kind.NewAxis:
                        view = view.unsqueeze(dim++);
                        break;
                    case TensorIndex.Kind.Ellipsis:
                        var named = indices.Count(other => other.Type is not (TensorIndex.Kind.NewAxis
                            or TensorIndex.Kind.Ellipsis));
                        dim += (int)(ndim - named);
                        continue;
                    case TensorIndex.Kind.Tensor:
                        selectors ??= new Tensor?[ndim + indices.Length];
                        selectors[dim++] = index.Selector;
                        continue;
                }

                before.Dispose();
            }

            return (view, selectors?[..dim]);
        }
    }
}
