using System.Text.Json.Nodes;
using Pipelines.Models;
using static TorchSharp.torch;

namespace Pipelines.Activities.Modeling;

/// <summary>
/// LoRA adapters beside a model, in peft's layout: <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>.
/// </summary>
public static class AdapterFolder
{
    private const string ConfigFile = "adapter_config.json";
    private const string TensorFile = "adapter_model.safetensors";

    /// <summary>Puts the folder's adapters, if it has any, on the model's linears.</summary>
    public static void Attach(CausalLM model, string folder) => Attach(model.Linears(), folder, model.Device);

    /// <summary>Those of some linears.</summary>
    public static void Attach(IEnumerable<Linear> linears, string folder, Device device)
    {
        var config = Path.Combine(folder, ConfigFile);
        if (!File.Exists(config))
            return;
        using var scope = NewDisposeScope();
        using var file = SafetensorsFile.Open(Path.Combine(folder, TensorFile));
        var json = JsonNode.Parse(File.ReadAllText(config))!;
        var scale = json["lora_alpha"]!.GetValue<double>() / json["r"]!.GetValue<int>();
        foreach (var linear in linears)
            linear.Adapter = new LoraAdapter(Read(linear, "lora_A"), Read(linear, "lora_B"), scale, keep: null);

        Tensor Read(Linear linear, string side) =>
            file.View(Name(linear, side)).clone().to(device).DetachFromDisposeScope();
    }

    public static void Save(CausalLM model, string folder, int rank, double alpha)
    {
        var config = new JsonObject
        {
            ["peft_type"] = "LORA",
            ["task_type"] = "CAUSAL_LM",
            ["r"] = rank,
            ["lora_alpha"] = alpha,
            ["lora_dropout"] = 0.0,
            ["bias"] = "none",
            ["target_modules"] = new JsonArray([.. Modules(model).Select(module => (JsonNode)module)]),
        };
        File.WriteAllText(Path.Combine(folder, ConfigFile), config.ToJsonString() + "\n");
        SafetensorsWriter.Write(
            Path.Combine(folder, TensorFile),
            model.Linears().SelectMany(linear => new[]
            {
                TensorSource.Of(Name(linear, "lora_A"), linear.Adapter!.A.detach()),
                TensorSource.Of(Name(linear, "lora_B"), linear.Adapter!.B.detach()),
            }),
            new Dictionary<string, string> { ["format"] = "pt" });
    }

    /// <summary>What the linears are called within a block: <c>q_proj</c>, <c>fc1</c>.</summary>
    private static IEnumerable<string> Modules(CausalLM model) =>
        model.Linears().Where(linear => linear.Adapter is not null).Select(linear => linear.Name.Split('.')[^1]).Distinct();

    private static string Name(Linear linear, string side) => $"base_model.model.{linear.Name}.{side}.weight";
}
