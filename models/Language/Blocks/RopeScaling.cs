using System.Text.Json.Nodes;

namespace Pipelines.Models;

/// <summary>How a model stretches its rotary frequencies beyond the context it was trained on.</summary>
public abstract record RopeScaling
{
    /// <exception cref="ModelException">A kind of scaling that does not exist here.</exception>
    public static RopeScaling? Parse(string path, JsonNode? node)
    {
        if (node is null)
            return null;
        if (node is not JsonObject json)
            throw new ModelException($"{path}: rope_scaling is {node.ToJsonString()}: expected an object");
        var fields = new ConfigFields($"{path}: rope_scaling", json);
        var type = fields.Text("rope_type", fields.Text("type", "default"));
        return type switch
        {
            "default" => null,
            "linear" => new Linearly(fields.Number("factor", 1)),
            "llama3" => new ByWavelength(
                fields.Number("factor", 8), fields.Number("low_freq_factor", 1), fields.Number("high_freq_factor", 4),
                fields.Number("original_max_position_embeddings", 8192)),
            _ => throw new ModelException($"{path}: rope_scaling is of type '{type}': expected linear or llama3"),
        };
    }

    /// <summary>The frequency, in radians per position, that takes the place of <paramref name="frequency"/>.</summary>
    public abstract double Scale(double frequency);

    /// <summary>Positions are divided by the factor.</summary>
    public sealed record Linearly(double Factor) : RopeScaling
    {
        public override double Scale(double frequency) => frequency / Factor;
    }

    /// <summary>
    /// Llama 3.1's: long waves are divided by the factor, short ones stay, those between are blended.
    /// </summary>
    public sealed record ByWavelength(double Factor, double LowFrequency, double HighFrequency, double Original) : RopeScaling
    {
        public override double Scale(double frequency)
        {
            var wavelength = 2 * Math.PI / frequency;
            if (wavelength < Original / HighFrequency)
                return frequency;
            if (wavelength > Original / LowFrequency)
                return frequency / Factor;
            var smooth = (Original / wavelength - LowFrequency) / (HighFrequency - LowFrequency);
            return (1 - smooth) * frequency / Factor + smooth * frequency;
        }
    }
}
