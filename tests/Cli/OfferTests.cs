using Pipelines.Cli;
using Pipelines.Cli.Commands;

namespace Pipelines.Tests.Cli;

/// <summary>What the options of <c>pipelines worker</c> come to, on machines with and without GPUs.</summary>
public sealed class OfferTests
{
    [Theory]
    [InlineData(null, null, null, 0, 1, "")]
    [InlineData(null, null, null, 2, 1, "cuda:0,cuda:1")]
    [InlineData(null, null, "4", 2, 4, "cuda:0,cuda:1")]
    [InlineData("cpu", null, null, 2, 1, "")]
    [InlineData("gpu", null, null, 2, 0, "cuda:0,cuda:1")]
    [InlineData("gpu,cpu", "0,1", "cpu=4", 4, 4, "cuda:0,cuda:1")]
    [InlineData(null, "3, 1", null, 4, 1, "cuda:3,cuda:1")]
    [InlineData(null, null, "cpu=4,gpu=2", 3, 4, "cuda:0,cuda:1")]
    [InlineData("gpu", "2", "gpu=1", 3, 0, "cuda:2")]
    public void Options_say_what_a_worker_has(string? serve, string? gpus, string? slots, int present, int cpuSlots, string devices)
    {
        var offer = Offer.Read(serve, gpus, slots, present);

        Assert.Equal((cpuSlots, devices), (offer.CpuSlots, string.Join(',', offer.Gpus)));
    }

    [Theory]
    [InlineData("tpu", null, null, 1, "--serve tpu: expected cpu or gpu")]
    [InlineData("", null, null, 1, "--serve : expected cpu or gpu")]
    [InlineData("gpu", null, null, 0, "--serve gpu: LibTorch sees no GPU on this machine; pipelines doctor says more")]
    [InlineData("cpu", "0", null, 1, "--gpus 0: this worker does not serve gpu (--serve cpu)")]
    [InlineData(null, "0", null, 0, "--gpus 0: LibTorch sees no GPU on this machine; pipelines doctor says more")]
    [InlineData(null, "1", null, 1, "--gpus 1: LibTorch sees 1 GPU on this machine, 0")]
    [InlineData(null, "0,5", null, 4, "--gpus 5: LibTorch sees 4 GPUs on this machine, 0 to 3")]
    [InlineData(null, "-1", null, 4, "--gpus -1: expected the numbers of GPUs, as 0,1")]
    [InlineData(null, "cuda:0", null, 4, "--gpus cuda:0: expected the numbers of GPUs, as 0,1")]
    [InlineData(null, "1,1", null, 4, "--gpus 1,1: names a GPU twice, and each takes one stage at a time")]
    [InlineData(null, null, "many", 0, "--slots many: expected a number, or one for each group as cpu=4,gpu=2")]
    [InlineData(null, null, "tpu=1", 0, "--slots tpu=1: expected a number, or one for each group as cpu=4,gpu=2")]
    [InlineData(null, null, "cpu=1,2", 0, "--slots cpu=1,2: expected a number, or one for each group as cpu=4,gpu=2")]
    [InlineData(null, null, "cpu=0", 0, "--slots cpu=0: expected 1 to 256; --serve says which groups a worker takes at all")]
    [InlineData(null, null, "gpu=1", 0, "--slots gpu=1: this worker does not serve gpu")]
    [InlineData("gpu", null, "4", 1, "--slots 4: this worker does not serve cpu")]
    [InlineData(null, null, "gpu=3", 2, "--slots gpu=3: this worker has 2 GPUs, each for one stage at a time")]
    public void Options_that_cannot_be_had_are_refused(string? serve, string? gpus, string? slots, int present, string message) =>
        Assert.Equal(message, Assert.Throws<UserException>(() => Offer.Read(serve, gpus, slots, present)).Message);

    [Fact]
    public void A_run_on_the_gpu_gives_one_to_every_stage_that_does_not_decline_it()
    {
        using var place = new Place();
        var file = place[place.Write("w.json", """
            { "name": "w", "stages": [
                { "id": "asks-nothing", "kind": "data.synthetic" },
                { "id": "declines", "kind": "data.synthetic", "resources": { "gpu": 0 } } ] }
            """)];

        Assert.Equal([("asks-nothing", 1), ("declines", 0)], Stages(gpu: true));
        Assert.Equal([("asks-nothing", 0), ("declines", 0)], Stages(gpu: false));

        IEnumerable<(string, int)> Stages(bool gpu) => Workflow.Plan(file, [], gpu: gpu).Stages.Select(stage => (stage.Id, stage.Gpu));
    }
}
