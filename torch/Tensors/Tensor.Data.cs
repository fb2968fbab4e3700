using TorchSharp.Interop;
using TorchSharp.Utils;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        /// <summary>The tensor's memory itself, for a contiguous tensor on the CPU of at most 2 GB.</summary>
        /// <exception cref="InvalidOperationException">It is elsewhere, strided or larger.</exception>
        public unsafe Span<byte> bytes
        {
            get
            {
                if (!is_contiguous() || device_type != DeviceType.CPU)
                    throw new InvalidOperationException($"no bytes of {this}: it is not contiguous or not on the CPU");
                var length = numel() * element_size();
                if (length > int.MaxValue)
                    throw new InvalidOperationException($"no span holds the {length} bytes of {this}");
                return new Span<byte>((void*)DataPointer(), (int)length);
            }

            set
            {
                var target = bytes;
                if (value.Length != target.Length)
                    throw new ArgumentException($"{this} has {target.Length} bytes, got {value.Length}");
                value.CopyTo(target);
            }
        }

        /// <summary>The elements as C# values; a tensor on another device is copied to the CPU first.</summary>
        /// <exception cref="ArgumentException"><typeparamref name="T"/> is not the tensor's dtype.</exception>
        public TensorAccessor<T> data<T>()
            where T : unmanaged
        {
            if (ToScalarType(typeof(T)) != dtype)
                throw new ArgumentException($"{typeof(T).Name} does not hold the elements of {this}");
            return new TensorAccessor<T>(device_type == DeviceType.CPU ? this : cpu());
        }

        /// <summary>The only element of a tensor that has one.</summary>
        public T item<T>()
            where T : unmanaged
        {
            if (numel() != 1)
                throw new ArgumentException($"{this} has {numel()} elements, one was expected");
            return data<T>()[0];
        }

        public Scalar ToScalar() => Only() switch
        {
            long value => value,
            bool value => value,
            var value => (double)value,
        };

        public float ToSingle() => (float)ToDouble();

        public double ToDouble() => Convert.ToDouble(Only(), null);

        public long ToInt64() => Convert.ToInt64(Only(), null);

        public int ToInt32() => checked((int)ToInt64());

        public bool ToBoolean() => Convert.ToBoolean(Only(), null);

        public static explicit operator float(Tensor value) => value.ToSingle();

        public static explicit operator double(Tensor value) => value.ToDouble();

        public static explicit operator long(Tensor value) => value.ToInt64();

        public static explicit operator int(Tensor value) => value.ToInt32();

        public static explicit operator bool(Tensor value) => value.ToBoolean();

        public bool is_nonzero() => ToBoolean();

        /// <summary>Fills a contiguous CPU tensor from a stream, whatever its size.</summary>
        /// <exception cref="EndOfStreamException">The stream ended before.</exception>
        public void ReadBytesFromStream(Stream stream, int bufferSize = 1024)
        {
            foreach (var part in Parts(Math.Max(bufferSize, 1 << 16)))
                stream.ReadExactly(part.Span);
        }

        /// <summary>Writes a contiguous CPU tensor's bytes to a stream, whatever its size.</summary>
        public void WriteBytesToStream(Stream stream, int bufferSize = 1024)
        {
            foreach (var part in Parts(Math.Max(bufferSize, 1 << 16)))
                stream.Write(part.Span);
        }

        internal unsafe nint DataPointer()
        {
            var pointer = (nint)LibTorch.pt_tensor_data(Handle);
            if (pointer == 0 && numel() > 0)
                throw TorchException.Last("data", [this]);
            GC.KeepAlive(this);
            return pointer;
        }

        // The operator itself reads the first of however many there are, and memory that is not there when there are none.
        private object Only() => numel() == 1
            ? Aten.CallAny("_local_scalar_dense", [this])[0]!
            : throw new ArgumentException($"{this} has {numel()} elements, one was expected");

        private IEnumerable<Part> Parts(int length)
        {
            if (!is_contiguous() || device_type != DeviceType.CPU)
                throw new InvalidOperationException($"no bytes of {this}: it is not contiguous or not on the CPU");
            var first = DataPointer();
            var total = numel() * element_size();
            for (long at = 0; at < total; at += length)
                yield return new Part((nint)(first + at), (int)Math.Min(length, total - at));
            GC.KeepAlive(this);
        }

        private readonly record struct Part(nint Pointer, int Length)
        {
            public unsafe Span<byte> Span => new((void*)Pointer, Length);
        }
    }
}
