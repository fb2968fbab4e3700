using System.Globalization;
using static TorchSharp.torch;

namespace Pipelines.Cli;

/// <summary>What a worker offers to stages.</summary>
/// <param name="CpuSlots">How many that need no GPU it runs at once.</param>
/// <param name="Gpus">By PyTorch's names; each takes one stage at a time.</param>
internal sealed record Offer(int CpuSlots, IReadOnlyList<string> Gpus)
{
    /// <summary>The threads that LibTorch gets for a stage; a result's bits may depend on them. One on a GPU leaves the cores to the others.</summary>
    public int Threads => Math.Max(1, Environment.ProcessorCount / Math.Max(1, CpuSlots));

    private const int MostSlots = 256;
    private const string Cpu = "cpu";
    private const string Gpu = "gpu";

    /// <summary>What the machine has.</summary>
    public static Offer All() => Read(null, null, null, GpusHere());

    /// <summary>How many GPUs LibTorch sees.</summary>
    public static int GpusHere() => cuda.is_available() ? cuda.device_count() : 0;

    /// <summary>Reads a worker's options; null is one that was not given.</summary>
    /// <param name="serve">As in <c>cpu,gpu</c>.</param>
    /// <param name="gpus">As in <c>0,1</c>.</param>
    /// <param name="slots">As in <c>4</c> or <c>cpu=4,gpu=2</c>.</param>
    /// <param name="present">How many GPUs there are.</param>
    /// <exception cref="UserException">They cannot be had, or contradict each other.</exception>
    public static Offer Read(string? serve, string? gpus, string? slots, int present)
    {
        var groups = serve is null ? gpus is null && present == 0 ? [Cpu] : [Cpu, Gpu] : ReadGroups(serve);
        if (gpus is not null && !groups.Contains(Gpu))
            throw new UserException($"--gpus {gpus}: this worker does not serve gpu (--serve {serve})");
        var chosen = groups.Contains(Gpu) ? ReadGpus(gpus, present) : [];
        if (groups.Contains(Gpu) && chosen.Length == 0)
            throw new UserException($"--serve {serve}: LibTorch sees no GPU on this machine; pipelines doctor says more");
        var counts = slots is null ? [] : ReadSlots(slots, groups);
        if (counts.GetValueOrDefault(Gpu, chosen.Length) is var wanted && wanted > chosen.Length)
        {
            throw new UserException(
                $"--slots {Gpu}={wanted}: this worker has {Count(chosen.Length)}, each for one stage at a time");
        }

        var cpuSlots = groups.Contains(Cpu) ? counts.GetValueOrDefault(Cpu, 1) : 0;
        return new Offer(cpuSlots, [.. chosen.Take(wanted).Select(index => $"cuda:{index}")]);
    }

    private static string[] ReadGroups(string serve)
    {
        var groups = serve.Split(',', StringSplitOptions.TrimEntries);
        return groups.FirstOrDefault(group => group is not (Cpu or Gpu)) is { } unknown
            ? throw new UserException($"--serve {unknown}: expected cpu or gpu")
            : groups;
    }

    private static int[] ReadGpus(string? gpus, int present)
    {
        if (gpus is null)
            return [.. Enumerable.Range(0, present)];
        var chosen = gpus.Split(',', StringSplitOptions.TrimEntries).Select(text => Number(text)
            ?? throw new UserException($"--gpus {gpus}: expected the numbers of GPUs, as 0,1")).ToArray();
        foreach (var index in chosen.Where(index => index >= present))
            throw new UserException($"--gpus {index}: LibTorch sees {Count(present)} on this machine{Numbers(present)}");
        return chosen.Distinct().Count() == chosen.Length
            ? chosen
            : throw new UserException($"--gpus {gpus}: names a GPU twice, and each takes one stage at a time");
    }

    private static Dictionary<string, int> ReadSlots(string slots, string[] groups)
    {
        var counts = new Dictionary<string, int>();
        foreach (var part in slots.Split(',', StringSplitOptions.TrimEntries))
        {
            var (group, text) = part.Split('=') switch
            {
                [var only] => (Cpu, only),
                [var named, var number] => (named, number),
                _ => ("", part),
            };
            if (group is not (Cpu or Gpu) || !int.TryParse(text, CultureInfo.InvariantCulture, out var count) || counts.ContainsKey(group))
                throw new UserException($"--slots {slots}: expected a number, or one for each group as cpu=4,gpu=2");
            if (count is < 1 or > MostSlots)
                throw new UserException($"--slots {slots}: expected 1 to {MostSlots}; --serve says which groups a worker takes at all");
            if (!groups.Contains(group))
                throw new UserException($"--slots {slots}: this worker does not serve {group}");
            counts[group] = count;
        }

        return counts;
    }

    private static int? Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string Count(int gpus) => gpus switch
    {
        0 => "no GPU",
        1 => "1 GPU",
        _ => $"{gpus} GPUs",
    };

    private static string Numbers(int present) => present switch
    {
        0 => "; pipelines doctor says more",
        1 => ", 0",
        _ => $", 0 to {present - 1}",
    };
}
