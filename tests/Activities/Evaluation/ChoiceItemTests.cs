using Pipelines.Activities.Evaluation;
using Pipelines.Workflows;

namespace Pipelines.Tests.Activities;

public sealed class ChoiceItemTests
{
    [Fact]
    public void Reads_items_with_one_context_or_one_for_each_choice()
    {
        var items = ChoiceItem.Parse("tasks.jsonl",
        [
            """{"context":"Sky is","choices":["blue","𝄞"],"answer":0,"id":"other fields do not matter"}""",
            "",
            """{"contexts":["the cup","the spoon"],"choices":["broke.","broke."],"answer":1}""",
        ]);

        Assert.Equal([1, 3], items.Select(item => item.Line));
        Assert.Equal(["Sky is", "Sky is"], items[0].Contexts);
        Assert.Equal(["blue", "𝄞"], items[0].Choices);
        Assert.Equal(["the cup", "the spoon"], items[1].Contexts);
        Assert.Equal((0, 1), (items[0].Answer, items[1].Answer));
    }

    [Theory]
    [InlineData("""{"context":""", "not JSON")]
    [InlineData("""["a"]""", "expected an object")]
    [InlineData("""{"choices":["a","b"],"answer":0}""", "expected either context or contexts")]
    [InlineData("""{"context":"q","contexts":["q","q"],"choices":["a","b"],"answer":0}""", "expected either context or contexts")]
    [InlineData("""{"context":1,"choices":["a","b"],"answer":0}""", "context is 1: expected a text")]
    [InlineData("""{"contexts":["q"],"choices":["a","b"],"answer":0}""", "contexts are 1: expected one for each of the 2 choices")]
    [InlineData("""{"context":"q","answer":0}""", "choices is missing")]
    [InlineData("""{"context":"q","choices":"a","answer":0}""", "choices is \"a\": expected a list of texts")]
    [InlineData("""{"context":"q","choices":["a",null],"answer":0}""", "choices[1] is null: expected a text")]
    [InlineData("""{"context":"q","choices":["a"],"answer":0}""", "choices are 1: expected at least 2")]
    [InlineData("""{"context":"q","choices":["a",""],"answer":0}""", "choice 1 is \"\"")]
    [InlineData("""{"context":"q","choices":[" a","b"],"answer":0}""", "choice 0 is \" a\"")]
    [InlineData("""{"context":"q","choices":["a","b"]}""", "answer is missing")]
    [InlineData("""{"context":"q","choices":["a","b"],"answer":2}""", "answer is 2: expected an index from 0 to 1")]
    [InlineData("""{"context":"q","choices":["a","b"],"answer":"a"}""", "answer is \"a\": expected an index")]
    [InlineData("""{"context":"q\ud800","choices":["a","b"],"answer":0}""", "context is not valid Unicode")]
    public void A_line_that_is_no_item_is_refused_by_its_number(string line, string says)
    {
        var error = Assert.Throws<StageException>(() => ChoiceItem.Parse(
            "tasks.jsonl", ["""{"context":"q","choices":["a","b"],"answer":0}""", line]));

        Assert.StartsWith("tasks.jsonl, line 2: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_without_items_and_one_that_is_not_there_are_refused()
    {
        Assert.Contains("there are no items", Assert.Throws<StageException>(() => ChoiceItem.Parse("tasks.jsonl", [""])).Message, StringComparison.Ordinal);
        Assert.Contains("cannot be read", Assert.Throws<StageException>(() => ChoiceItem.Read("nowhere/tasks.jsonl")).Message, StringComparison.Ordinal);
    }
}
