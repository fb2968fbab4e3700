using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>
    /// A LibTorch tensor. Dispose it, or make it inside <see cref="NewDisposeScope"/>: the garbage collector sees 64
    /// bytes of it, not the gigabytes behind them. Operators named like PyTorch's do what PyTorch's do.
    /// </summary>
    /// <remarks>
    /// The handle is a bare pointer, not a SafeHandle: a SafeHandle per tensor is a second finalizable object and two
    /// interlocked operations per argument of each call. In exchange every call keeps its arguments alive by itself.
    /// </remarks>
    public partial class Tensor : IDisposable
    {
        private static long live;
        private static long peak;

        private nint handle;

        internal Tensor(nint handle)
            : this(handle, DisposeScope.Current)
        {
        }

        internal Tensor(nint handle, DisposeScope? scope)
        {
            this.handle = handle;
            Join(scope);
            var count = Interlocked.Increment(ref live);
            if (count > peak)
                peak = count;
        }

        ~Tensor() => Dispose(false);

        /// <summary>How many tensors are alive in this process.</summary>
        public static long TotalCount => Interlocked.Read(ref live);

        /// <summary>The most that were ever alive at once.</summary>
        public static long PeakCount => peak;

        public bool IsInvalid => handle == 0;

        /// <summary>LibTorch's pointer to the tensor.</summary>
        /// <exception cref="ObjectDisposedException">The tensor was disposed.</exception>
        public nint Handle
        {
            get
            {
                ObjectDisposedException.ThrowIf(handle == 0, this);
                return handle;
            }
        }

        internal DisposeScope? OwningDisposeScope { get; private set; }

        public void Dispose()
        {
            Dispose(true);
            GC.SuppressFinalize(this);
        }

        public Tensor MoveToOuterDisposeScope() => Join(OwningDisposeScope?.OuterScope);

        /// <summary>From here on the caller disposes the tensor.</summary>
        public Tensor DetachFromDisposeScope() => Join(null);

        public Tensor MoveToOtherDisposeScope(DisposeScope? other) => Join(other);

        public Tensor MoveToOtherDisposeScope(Tensor other) => Join(other.OwningDisposeScope);

        /// <summary>A second tensor object on the same LibTorch tensor, with a life of its own.</summary>
        public Tensor alias()
        {
            var shared = LibTorch.pt_tensor_share(Handle);
            GC.KeepAlive(this);
            return new(shared);
        }

        /// <summary>Leaves the tensor empty and gives its handle away.</summary>
        internal nint MoveHandle()
        {
            var moved = LibTorch.pt_tensor_share(Handle);
            Dispose();
            return moved;
        }

        internal Tensor Join(DisposeScope? scope)
        {
            if (scope == OwningDisposeScope)
                return this;
            OwningDisposeScope?.Remove(this);
            scope?.Add(this);
            OwningDisposeScope = scope;
            return this;
        }

        protected virtual void Dispose(bool disposing)
        {
            var owned = Interlocked.Exchange(ref handle, 0);
            if (owned == 0)
                return;
            // From the finalizer the scope, too, is garbage, and its set belongs to another thread.
            if (disposing)
                Join(null);
            Interlocked.Decrement(ref live);
            LibTorch.pt_tensor_free(owned);
        }
    }
}
