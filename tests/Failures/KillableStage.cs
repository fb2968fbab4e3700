using System.Text.Json.Nodes;

namespace Pipelines.Tests.Failures;

/// <summary>A small stage that saves checkpoints, and where its worker is killed. One that is new is one line in <see cref="All"/>.</summary>
/// <param name="Id">Tells ways to go through one kind from each other.</param>
/// <param name="Dies">The checkpoint at which its worker dies: whole, but not yet recorded, so that a step is done once more.</param>
/// <param name="Parameters">As in a workflow document.</param>
/// <param name="Inputs">As there, <c>port=stage.port</c>; the stages are those of <see cref="Before"/>.</param>
internal sealed record KillableStage(string Id, string Kind, int Dies, string Parameters, string Inputs)
{
    public static IReadOnlyList<KillableStage> All { get; } =
    [
        new("train", "model.train", 3, """{ "hidden": 32, "layers": 1, "heads": 2, "intermediate": 32, "vocabulary": 300, "steps": 6, "batch": 2 }""", "data=text.data"),
        new("lora", "finetune.lora", 3, """{ "steps": 6, "batch": 2, "rank": 2 }""", "model=zeros.model data=text.data"),
        new("full", "finetune.full", 3, """{ "steps": 6, "batch": 2 }""", "model=zeros.model data=text.data"),
        new("distill", "finetune.distill", 3, """{ "steps": 6, "batch": 2, "rank": 2, "hidden": 1 }""", "model=zeros.model teacher=llm.model data=text.data"),
        new("perp", "finetune.perp", 3, """{ "steps": 6, "batch": 2, "rank": 2, "maskLora": true }""", "model=zeros.model data=text.data"),
        new("perp-reconstruct", "finetune.perp", 2, """{ "steps": 3, "batch": 2, "sequences": 8, "objective": "reconstruct" }""", "model=zeros.model data=text.data dense=llm.model"),
        new("atp-chooses", "tune.atp", 2, """{ "steps": 8, "batch": 2, "rank": 2 }""", "model=llm.model data=text.data"),
        new("atp-settled", "tune.atp", 6, """{ "steps": 8, "batch": 2, "rank": 2, "gate": "rein-max" }""", "model=llm.model data=text.data"),
        new("displlm", "prune.displlm", 3, """{ "steps": 6, "batch": 2 }""", "model=llm.model data=text.data"),
        new("tomoe", "prune.tomoe", 3, """{ "steps": 6, "batch": 2, "experts": 2 }""", "model=llm.model data=text.data"),
        new("loraprune", "prune.loraprune", 4, """{ "steps": 8, "batch": 2, "rank": 2, "interval": 2, "keepLast": 0 }""", "model=llm.model data=text.data"),
        new("gradual", "prune.magnitude.gradual", 3, """{ "steps": 6, "batch": 2, "interval": 2 }""", "model=llm.model data=text.data"),
        new("evopress-depth", "prune.evopress-depth", 2, """{ "ratio": 0.34, "generations": 4, "offspring": 2, "firstTokens": 64, "lastTokens": 128 }""", "model=llm.model calibration=text.data"),
        new("evopress-sparsity", "prune.evopress-sparsity", 2, """{ "levels": 1, "generations": 4, "offspring": 2, "firstTokens": 64, "lastTokens": 128, "sequences": 4 }""", "model=llm.model calibration=text.data"),
        new("statistics", "calibrate.statistics", 2, """{ "sequences": 8, "collect": "moments,gram,heads,influence" }""", "model=llm.model calibration=text.data"),
        new("statistics-compressed", "calibrate.statistics", 2, """{ "sequences": 8 }""", "model=llm.model calibration=text.data compressed=zeros.model"),
        new("memorization", "evaluate.memorization", 3, """{ "prefix": 8, "suffix": 8, "windows": 4, "prompt": 4, "promptSteps": 6, "promptBatch": 2 }""", "model=llm.model data=text.data"),
        new("train-classifier", "model.train-classifier", 3, """{ "epochs": 2, "batch": 10, "pad": 1, "mixup": 0.2 }""", "data=images.images"),
        new("classifier", "finetune.classifier", 3, """{ "epochs": 2, "batch": 10, "pad": 1, "optimizer": "adamw", "learningRate": 0.001 }""", "model=net.model data=images.images"),
        new("classifier-taught", "finetune.classifier", 3, """{ "epochs": 2, "batch": 10, "pad": 1, "nesterov": true }""", "model=thin.model data=images.images teacher=net.model"),
        new("ato-chooses", "tune.ato", 4, """{ "ratio": 0.4, "steps": 10, "batch": 8, "every": 1, "heldOut": 0.2, "pad": 1 }""", "model=net.model data=images.images"),
        new("ato-settled", "tune.ato", 7, """{ "ratio": 0.4, "steps": 10, "batch": 8, "every": 1, "heldOut": 0.2, "pad": 1 }""", "model=net.model data=images.images"),
        new("oto", "tune.oto", 4, """{ "ratio": 0.4, "scope": "inner", "steps": 8, "batch": 10, "learningRate": 0.05, "pad": 1 }""", "model=net.model data=images.images"),
        new("oto-adamw", "tune.oto", 4, """{ "ratio": 0.4, "steps": 8, "batch": 10, "optimizer": "adamw", "learningRate": 0.001, "pad": 1 }""", "model=net.model data=images.images"),
        new("rlal", "tune.rlal", 2, """{ "ratio": 0.4, "steps": 8, "batch": 8, "learningRate": 0.05, "rounds": 2, "episodes": 2, "randomEpisodes": 1, "timeUpdates": 2, "updates": 2, "calibration": 1, "heldOut": 0.2, "alignment": 0.001, "pad": 1 }""", "model=net.model data=images.images"),
        new("explain-predictor", "explain.train", 2, """{ "predictorSteps": 4, "selectorSteps": 3, "batch": 8, "pad": 1 }""", "model=net.model data=images.images"),
        new("explain-selector", "explain.train", 6, """{ "predictorSteps": 4, "selectorSteps": 3, "batch": 8, "pad": 1 }""", "model=net.model data=images.images"),
        new("isp", "prune.isp", 3, """{ "ratio": 0.4, "steps": 6, "batch": 4, "images": 12 }""", "model=net.model data=images.images explainer=explainer.explainer"),
        new("unlearn-finetune", "unlearn.finetune", 3, """{ "penalty": 0.0001, "epochs": 3, "batch": 10, "pad": 1 }""", "model=net.model retained=split.rest"),
        new("unlearn-ascent", "unlearn.ascent", 3, """{ "epochs": 2.5, "batch": 4, "pad": 1 }""", "model=net.model forgotten=split.part"),
        new("unlearn-fisher", "unlearn.fisher", 3, """{ "samples": 6 }""", "model=net.model retained=split.rest"),
        new("unlearn-influence", "unlearn.influence", 5, """{ "samples": 3, "batch": 10 }""", "model=net.model forgotten=split.part retained=split.rest"),
        new("oracle", "evaluate.oracle", 2, """{ "plans": 3, "lossImages": 20, "epochs": 0.4, "batch": 10, "pad": 1 }""", "model=net.model data=images.images evaluation=images.evaluation"),
    ];

    /// <summary>
    /// One for each way to save checkpoints; all of them where failures alone are asked for: each worker that dies is
    /// replaced, and a program's start is most of what a small stage takes.
    /// </summary>
    public static IReadOnlyList<KillableStage> Chosen => Tally.All ? All : [.. All.Where(stage => Few.Contains(stage.Id))];

    private static readonly string[] Few = ["train", "perp-reconstruct", "evopress-depth", "statistics", "rlal", "unlearn-influence", "oracle"];

    /// <summary>What they begin with: models that have hardly learned, a text, some images. It is made once and found again.</summary>
    private static readonly KillableStage[] Before =
    [
        new("text", "data.synthetic", 0, """{ "characters": 3000, "evaluationCharacters": 1000, "length": 32 }""", ""),
        new("llm", "model.train", 0, """{ "hidden": 32, "layers": 3, "heads": 4, "keyValueHeads": 2, "intermediate": 48, "vocabulary": 300, "steps": 1, "batch": 2 }""", "data=text.data"),
        new("zeros", "prune.magnitude", 0, "{}", "model=llm.model"),
        new("images", "data.synthetic-images", 0, """{ "classes": 3, "perClass": 10, "evaluationPerClass": 4, "size": 8 }""", ""),
        new("split", "data.split-images", 0, """{ "fraction": 0.3 }""", "images=images.images"),
        new("net", "model.train-classifier", 0, """{ "epochs": 0.1, "batch": 10, "pad": 1 }""", "data=images.images"),
        new("explainer", "explain.train", 0, """{ "predictorSteps": 1, "selectorSteps": 1, "batch": 8, "pad": 1 }""", "model=net.model data=images.images"),
        new("thin", "prune.channels", 0, "{}", "model=net.model"),
    ];

    /// <summary>A workflow of those that are chosen.</summary>
    public static JsonObject Document => new()
    {
        ["name"] = "killed",
        ["stages"] = new JsonArray([.. Before.Select(stage => stage.Written(cache: true)), .. Chosen.Select(stage => stage.Written(cache: false))]),
    };

    private JsonObject Written(bool cache) => new()
    {
        ["id"] = Id,
        ["kind"] = Kind,
        ["parameters"] = JsonNode.Parse(Parameters),
        ["inputs"] = new JsonObject(Inputs.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(input => input.Split('='))
            .Select(input => KeyValuePair.Create(input[0], (JsonNode?)input[1]))),
        ["retry"] = new JsonObject { ["crashes"] = 1000 },
        ["cache"] = cache,
    };
}
