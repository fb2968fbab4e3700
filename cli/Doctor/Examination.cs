using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Pipelines.Cli.Display;
using Pipelines.Engine;
using static TorchSharp.torch;

namespace Pipelines.Cli.Doctor;

internal enum Grade
{
    Good,
    Poor,
    Broken,
}

/// <param name="Advice">What to do about it; null when nothing need be done.</param>
internal sealed record Finding(string Subject, Grade Grade, string Value, string? Advice = null);

/// <summary>The checks of <c>pipelines doctor</c>, each by itself: one that fails does not keep the next from running.</summary>
internal static class Examination
{
    private const double PoorGigaflops = 20;
    private const long PoorDisk = 5L << 30;

    public static async IAsyncEnumerable<Finding> RunAsync(
        Place place, ParseResult parsed, [EnumeratorCancellation] CancellationToken cancellation)
    {
        yield return new Finding(".NET", Grade.Good, RuntimeInformation.FrameworkDescription);
        yield return Memory();
        var libTorch = LibTorch();
        yield return libTorch;
        if (libTorch.Grade != Grade.Broken)
        {
            yield return Blas();
            yield return Gpu();
        }

        yield return await PostgresAsync(place, parsed, cancellation);
        yield return Disk(place.DataFolder(parsed));
    }

    private static Finding Memory()
    {
        var bytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        return new Finding("machine", Grade.Good, $"{Environment.ProcessorCount} cores, {StageText.Bytes(bytes)} memory");
    }

    private static Finding LibTorch()
    {
        try
        {
            using var one = ones(1);
            return new Finding("LibTorch", Grade.Good, $"version {__version__}");
        }
        catch (Exception error) when (error is DllNotFoundException or TypeInitializationException or ExternalException)
        {
            return new Finding(
                "LibTorch", Grade.Broken, error.GetBaseException().Message,
                "apt-get install libtorch-dev, or set LIBTORCH to an unpacked LibTorch, and start ./pipelines again");
        }
    }

    private static Finding Blas()
    {
        var one = Gigaflops(1);
        var all = Gigaflops(Environment.ProcessorCount);
        var value = string.Create(
            CultureInfo.InvariantCulture,
            $"1024³ float32 product: {one:0} GFLOP/s on one thread, {all:0} on {Environment.ProcessorCount}");
        return all / Environment.ProcessorCount >= PoorGigaflops
            ? new Finding("BLAS", Grade.Good, value)
            : new Finding(
                "BLAS", Grade.Poor, value,
                $"under {PoorGigaflops} per core: apt-get install libopenblas0-openmp (the reference BLAS is a hundred times slower)");
    }

    private static double Gigaflops(int threads)
    {
        const int size = 1024;
        const int products = 8;
        using var scope = NewDisposeScope();
        set_num_threads(threads);
        var (a, b) = (rand(size, size), rand(size, size));
        a.matmul(b).Dispose();
        var best = double.PositiveInfinity;
        for (var i = 0; i < products; i++)
        {
            var clock = Stopwatch.StartNew();
            a.matmul(b).Dispose();
            best = Math.Min(best, clock.Elapsed.TotalSeconds);
        }

        return 2.0 * size * size * size / best / 1e9;
    }

    private static Finding Gpu() => cuda.is_available()
        ? new Finding("GPU", Grade.Good, $"{cuda.device_count()} with CUDA")
        : new Finding("GPU", Grade.Good, "none that this LibTorch can use; stages run on the CPU");

    private static async Task<Finding> PostgresAsync(Place place, ParseResult parsed, CancellationToken cancellation)
    {
        try
        {
            var clock = Stopwatch.StartNew();
            await using var engine = await place.OpenAsync(parsed, cancellation);
            return new Finding("Postgres", Grade.Good, $"{engine.DatabaseDescription}, up in {StageText.Duration(clock.Elapsed.TotalSeconds)}");
        }
        catch (Exception error) when (error is EngineException)
        {
            return new Finding(
                "Postgres", Grade.Broken, error.Message,
                place.Database(parsed) is null ? "apt-get install postgresql, or give --database" : "check --database / PIPELINES_DATABASE");
        }
    }

    private static Finding Disk(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
            var free = new DriveInfo(folder).AvailableFreeSpace;
            var value = $"{StageText.Bytes(free)} free in {folder}";
            return free >= PoorDisk
                ? new Finding("disk", Grade.Good, value)
                : new Finding("disk", Grade.Poor, value, "checkpoints are large: free some space, or choose another folder with --data");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return new Finding("disk", Grade.Broken, error.Message, "choose a folder that can be written with --data");
        }
    }
}
