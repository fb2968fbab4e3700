using System.Text.Json;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;

namespace Pipelines.Tests.Activities;

/// <summary>Multiple choice and memorization as stages, on a model that has learnt one sentence.</summary>
public sealed class EvaluationStageTests : IDisposable
{
    private readonly StageFolder stages = new();

    public void Dispose() => stages.Dispose();

    [Fact]
    public async Task Questions_are_answered_by_a_model_that_knows_the_text()
    {
        var model = await LearntAsync(await DataAsync());
        var choices = await ChoicesAsync(
            """{"context":"the cat sat on","choices":["the mat","the dog","cat cat"],"answer":0}""",
            """{"context":"the mat and the dog","choices":["and the","saw the"],"answer":1}""",
            """{"contexts":["the dog saw","the the on"],"choices":["the cat.","the cat."],"answer":0}""",
            """{"context":"the dog saw the cat.","choices":["the cat sat","dog mat on"],"answer":0}""");

        var one = await MeasureAsync("evaluate.choice", new { batch = 1 }, ("model", model), ("choices", choices));
        var many = await MeasureAsync("evaluate.choice", new { batch = 3 }, ("model", model), ("choices", choices));
        var first = await MeasureAsync("evaluate.choice", new { items = 1 }, ("model", model), ("choices", choices));

        Assert.Equal(one.GetRawText(), many.GetRawText());
        Assert.Equal((4, 1.0, 1.0, 0.0), (Number(one, "items"), Number(one, "accuracy"), Number(one, "normalizedAccuracy"), Number(one, "standardError")));
        Assert.Equal(1.0, Number(first, "items"));
        Assert.False(first.TryGetProperty("standardError", out _));
        Assert.Matches(
            "^choice-1:items=[0-9a-f]{12}:count=4:tokenizer=[0-9a-f]{12}:context=16:begin=none$", one.GetProperty("protocol").GetString());
        Assert.NotEqual(one.GetProperty("protocol").GetString(), first.GetProperty("protocol").GetString());
        Assert.Equal(Number(one, "parameters"), Number(one, "nonzero"));
        Assert.True(Number(one, "bytes") > 4 * Number(one, "parameters"));
    }

    [Fact]
    public async Task A_token_that_begins_texts_is_one_of_the_tokenizer()
    {
        var choices = await ChoicesAsync("""{"context":"","choices":["the cat","the dog"],"answer":0}""");
        var model = await ModelAsync();

        var measured = await MeasureAsync("evaluate.choice", new { begin = "a" }, ("model", model), ("choices", choices));

        Assert.Matches(":begin=[0-9]+$", measured.GetProperty("protocol").GetString());
        Assert.Contains("line 1: nothing stands before", await RefusedAsync("evaluate.choice", new { }, ("model", model), ("choices", choices)));
        Assert.Contains(
            "begin is '<s>': expected one token",
            await RefusedAsync("evaluate.choice", new { begin = "<s>" }, ("model", model), ("choices", choices)));
    }

    [Fact]
    public async Task A_damaged_file_of_questions_is_refused_by_its_line_and_leaves_nothing()
    {
        var path = await FileAsync("damaged.jsonl", """{"context":"q","choices":["a","b"],"answer":0}""", "", """{"context":"q","choices":["a","b"],"ans""");
        var before = stages.Count;

        var message = await RefusedAsync("data.choice", new { path });

        Assert.StartsWith($"{path}, line 3: not JSON", message, StringComparison.Ordinal);
        Assert.Contains("damaged.jsonl is not UTF-8: byte 0", await RefusedAsync("data.choice", new { path = Broken() }));
        Assert.Contains("cannot be read", await RefusedAsync("data.choice", new { path = "nowhere.jsonl" }));
        Assert.Equal(before, stages.Count);

        string Broken()
        {
            File.WriteAllBytes(path, [0xff, 0x20]);
            return path;
        }
    }

    [Fact]
    public async Task What_was_learnt_by_heart_is_said_again()
    {
        var data = await DataAsync();
        var (model, learnt) = (await LearntAsync(data, steps: 1), await LearntAsync(data));
        object parameters = new { prefix = 6, suffix = 4, stride = 3 };

        var before = await MeasureAsync("evaluate.memorization", parameters, ("model", model), ("data", data));
        var after = await MeasureAsync("evaluate.memorization", parameters, ("model", learnt), ("data", data));
        var alone = await MeasureAsync(
            "evaluate.memorization", new { prefix = 6, suffix = 4, stride = 3, batch = 1 }, ("model", learnt), ("data", data));
        var few = await MeasureAsync(
            "evaluate.memorization", new { prefix = 6, suffix = 4, stride = 3, windows = 2 }, ("model", learnt), ("data", data));

        // 8 sequences of 16 tokens, with windows at 0, 3 and 6 of each.
        Assert.Equal((24, 0), (Number(before, "windows"), Number(before, "exact")));
        Assert.True(Number(before, "fractional") < 0.5, before.GetRawText());
        Assert.True(Number(after, "exact") > 0.9, after.GetRawText());
        Assert.True(Number(after, "fractional") >= Number(after, "exact"));
        Assert.Equal(after.GetRawText(), alone.GetRawText());
        Assert.Equal(2, Number(few, "windows"));
        Assert.Matches(
            "^memorization-1:data=[0-9a-f]{12}:tokenizer=[0-9a-f]{12}:prefix=6:suffix=4:stride=3:windows=24$",
            after.GetProperty("protocol").GetString());
    }

    [Fact]
    public async Task Windows_that_no_sequence_or_model_holds_are_refused()
    {
        var (model, data) = (await ModelAsync(), await DataAsync());

        Assert.Contains(
            "a sequence of the text has 16 tokens: expected at least the 17",
            await RefusedAsync("evaluate.memorization", new { prefix = 10, suffix = 7 }, ("model", model), ("data", data)));
        Assert.Contains(
            "prefix and suffix are 4050 tokens, but the model reads at most 2048",
            await RefusedAsync("evaluate.memorization", new { suffix = 4000 }, ("model", model), ("data", data)));
    }

    private static double Number(JsonElement measurement, string name) => measurement.GetProperty(name).GetDouble();

    private async Task<JsonElement> MeasureAsync(string kind, object parameters, params (string, JsonElement)[] inputs) =>
        (await stages.RunAsync(kind, parameters, inputs)).GetProperty("measurement");

    private async Task<string> RefusedAsync(string kind, object parameters, params (string, JsonElement)[] inputs) =>
        (await Assert.ThrowsAsync<StageException>(() => stages.RunAsync(kind, parameters, inputs))).Message;

    private async Task<JsonElement> ModelAsync() =>
        (await stages.RunAsync("model.load", new { path = TinyModel.Save(Path.Combine(stages.Folder, "model")) })).GetProperty("model");

    private async Task<JsonElement> LearntAsync(JsonElement data, int steps = 150) => (await stages.RunAsync(
        "model.train", new { hidden = 32, layers = 1, heads = 2, intermediate = 48, vocabulary = 300, steps, batch = 8, learningRate = 0.01 },
        ("data", data))).GetProperty("model");

    private async Task<JsonElement> DataAsync()
    {
        var path = await FileAsync("text.txt", TinyModel.Text);
        return (await stages.RunAsync("data.text", new { path, length = 16, sequences = 8 })).GetProperty("data");
    }

    private async Task<JsonElement> ChoicesAsync(params string[] lines) =>
        (await stages.RunAsync("data.choice", new { path = await FileAsync("items.jsonl", lines) })).GetProperty("choices");

    private async Task<string> FileAsync(string name, params string[] lines)
    {
        var path = Path.Combine(stages.Folder, name);
        await File.WriteAllLinesAsync(path, lines, TestContext.Current.CancellationToken);
        return path;
    }
}
