using TorchSharp.Interop;

namespace TorchSharp;

/// <summary>Where a tensor's memory is, numbered as LibTorch numbers it.</summary>
public enum DeviceType
{
    CPU = 0,
    CUDA = 1,
    META = 14,
}

public static partial class torch
{
    public static readonly Device CPU = new(DeviceType.CPU);
    public static readonly Device CUDA = new(DeviceType.CUDA);
    public static readonly Device META = new(DeviceType.META);

    public static Device device(string description) => new(description);

    public static Device device(string deviceType, int index = -1) => new(deviceType, index);

    public static Device device(DeviceType deviceType, int index = -1) => new(deviceType, index);

    public static bool cuda_is_available() => cuda.is_available();

    /// <summary>A device: <c>cpu</c>, <c>cuda</c>, <c>cuda:1</c>. Index -1 is the current one of its type.</summary>
    public sealed class Device
    {
        /// <exception cref="ArgumentException">The text is not a type, or a type, a colon and a number.</exception>
        public Device(string description)
        {
            var parts = description.Split(':');
            if (parts.Length > 2 || !Enum.TryParse<DeviceType>(parts[0], ignoreCase: true, out var parsed))
                throw new ArgumentException($"'{description}' is no device; expected cpu, cuda, cuda:N or meta");
            type = parsed;
            if (parts.Length == 2)
            {
                index = int.TryParse(parts[1], out var number) && number >= 0
                    ? number
                    : throw new ArgumentException($"'{description}' is no device: '{parts[1]}' is no index");
            }
        }

        public Device(string deviceType, int index = -1)
            : this(index < 0 ? deviceType : $"{deviceType}:{index}")
        {
        }

        public Device(DeviceType deviceType, int index = -1)
        {
            type = deviceType;
            this.index = index;
        }

        public DeviceType type { get; }

        public int index { get; } = -1;

        public static implicit operator Device(string description) => new(description);

        public override string ToString() => type == DeviceType.CPU || index < 0
            ? type.ToString().ToLowerInvariant()
            : $"{type.ToString().ToLowerInvariant()}:{index}";
    }

    public static class cuda
    {
        public static bool is_available() => device_count() > 0;

        public static int device_count() => LibTorch.pt_cuda_count();

        public static void manual_seed(long seed) => torch.manual_seed(seed);

        public static void manual_seed_all(long seed) => torch.manual_seed(seed);

        /// <summary>Waits until the device has done all that it was given.</summary>
        public static void synchronize(Device? device = null) =>
            TorchException.Check(LibTorch.pt_cuda_synchronize(device?.index ?? -1), nameof(synchronize));
    }
}
