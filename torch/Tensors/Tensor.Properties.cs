using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    public static bool is_tensor(object obj) => obj is Tensor;

    public static bool is_floating_point(Tensor input) => input.is_floating_point();

    public static long numel(Tensor input) => input.numel();

    public partial class Tensor
    {
        /// <summary>The size of each dimension.</summary>
        public long[] shape
        {
            get
            {
                var copy = Sizes().ToArray();
                GC.KeepAlive(this);
                return copy;
            }
        }

        public long ndim => dim();

        public long Dimensions => dim();

        public long NumberOfElements => numel();

        public long ElementSize => element_size();

        public ScalarType dtype
        {
            get
            {
                var type = LibTorch.pt_tensor_dtype(Handle);
                GC.KeepAlive(this);
                return (ScalarType)type;
            }
        }

        public unsafe Device device
        {
            get
            {
                int type, index;
                LibTorch.pt_tensor_device(Handle, &type, &index);
                GC.KeepAlive(this);
                return type == (int)DeviceType.CPU ? CPU : new Device((DeviceType)type, index);
            }
        }

        public DeviceType device_type => device.type;

        public int device_index => device.index;

        public bool is_cuda => device_type == DeviceType.CUDA;

        public bool is_cpu() => device_type == DeviceType.CPU;

        public bool is_floating_point() => torch.is_floating_point(dtype);

        public bool is_integral() => torch.is_integral(dtype);

        public long[] size() => shape;

        /// <summary>The size of one dimension; a negative number counts from the end.</summary>
        /// <exception cref="ArgumentOutOfRangeException">The tensor has no such dimension.</exception>
        public long size(int dim)
        {
            var sizes = Sizes();
            var size = sizes[Wrap(dim, sizes.Length)];
            GC.KeepAlive(this);
            return size;
        }

        public unsafe long[] stride()
        {
            long* strides;
            var count = LibTorch.pt_tensor_strides(Handle, &strides);
            TorchException.Check(count, nameof(stride));
            var copy = new ReadOnlySpan<long>(strides, count).ToArray();
            GC.KeepAlive(this);
            return copy;
        }

        public long stride(int dim)
        {
            var strides = stride();
            return strides[Wrap(dim, strides.Length)];
        }

        public long dim()
        {
            var count = Sizes().Length;
            GC.KeepAlive(this);
            return count;
        }

        public long numel()
        {
            var count = LibTorch.pt_tensor_numel(Handle);
            GC.KeepAlive(this);
            return count;
        }

        /// <summary>Bytes per element.</summary>
        public long element_size()
        {
            long size = LibTorch.pt_tensor_element_size(Handle);
            GC.KeepAlive(this);
            return size;
        }

        public long storage_offset()
        {
            var offset = LibTorch.pt_tensor_storage_offset(Handle);
            GC.KeepAlive(this);
            return offset;
        }

        public bool is_contiguous()
        {
            var contiguous = LibTorch.pt_tensor_is_contiguous(Handle);
            GC.KeepAlive(this);
            return contiguous;
        }

        // LibTorch's own numbers: read them before the tensor can go.
        private unsafe ReadOnlySpan<long> Sizes()
        {
            long* sizes;
            var count = LibTorch.pt_tensor_sizes(Handle, &sizes);
            TorchException.Check(count, nameof(shape));
            return new(sizes, count);
        }

        private static int Wrap(int dim, int count)
        {
            var wrapped = dim < 0 ? dim + count : dim;
            ArgumentOutOfRangeException.ThrowIfNegative(wrapped, nameof(dim));
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(wrapped, count, nameof(dim));
            return wrapped;
        }
    }
}
