using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    public static Generator manual_seed(long seed) => random.manual_seed(seed);

    public static long initial_seed() => random.initial_seed();

    /// <summary>The state of the CPU's default generator, as bytes.</summary>
    public static Tensor get_rng_state() => random.get_rng_state();

    public static void set_rng_state(Tensor new_state) => random.set_rng_state(new_state);

    public static class random
    {
        /// <summary>Seeds the default generators of the CPU and of every CUDA device.</summary>
        public static Generator manual_seed(long seed)
        {
            TorchException.Check(LibTorch.pt_manual_seed(unchecked((ulong)seed)), nameof(manual_seed));
            return Generator.Default;
        }

        public static long initial_seed()
        {
            using var generator = Generator.Default;
            return generator.initial_seed();
        }

        public static Tensor get_rng_state()
        {
            using var generator = Generator.Default;
            return generator.get_state();
        }

        public static void set_rng_state(Tensor new_state)
        {
            using var generator = Generator.Default;
            generator.set_state(new_state);
        }
    }

    /// <summary>A stream of random numbers. Restoring its state restores the numbers that follow, bit by bit.</summary>
    public sealed class Generator : IDisposable
    {
        private nint handle;

        public Generator(ulong seed = 0, Device? device = null)
            : this(device ?? CPU, shared: false) =>
            TorchException.Check(LibTorch.pt_generator_set_seed(Handle, seed), nameof(Generator));

        private Generator(Device device, bool shared)
        {
            this.device = device;
            handle = TorchException.Check(
                LibTorch.pt_generator((int)device.type, device.index, shared), nameof(Generator));
        }

        ~Generator() => Release();

        /// <summary>The generator that the CPU's operators use when they are given none.</summary>
        public static Generator Default => new(CPU, shared: true);

        public Device device { get; }

        public nint Handle
        {
            get
            {
                ObjectDisposedException.ThrowIf(handle == 0, this);
                return handle;
            }
        }

        /// <summary>The whole state, as a tensor of bytes on the CPU.</summary>
        public Tensor get_state()
        {
            var state = TorchException.Check(LibTorch.pt_generator_state(Handle), nameof(get_state));
            GC.KeepAlive(this);
            return new(state);
        }

        public void set_state(Tensor value)
        {
            TorchException.Check(LibTorch.pt_generator_set_state(Handle, value.Handle), nameof(set_state), value);
            GC.KeepAlive(value);
            GC.KeepAlive(this);
        }

        public Generator manual_seed(long seed)
        {
            TorchException.Check(LibTorch.pt_generator_set_seed(Handle, unchecked((ulong)seed)), nameof(manual_seed));
            return this;
        }

        public long initial_seed()
        {
            var seed = LibTorch.pt_generator_seed(Handle);
            GC.KeepAlive(this);
            return unchecked((long)seed);
        }

        public void Dispose()
        {
            Release();
            GC.SuppressFinalize(this);
        }

        internal static Generator DefaultOf(Device device) => new(device, shared: true);

        private void Release()
        {
            if (Interlocked.Exchange(ref handle, 0) is not 0 and var owned)
                LibTorch.pt_generator_free(owned);
        }
    }
}
