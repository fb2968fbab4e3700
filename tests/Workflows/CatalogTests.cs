using Pipelines.Workflows;

namespace Pipelines.Tests.Workflows;

public sealed class CatalogTests
{
    [Fact]
    public void Reads_ports_from_the_records()
    {
        var add = ToyActivities.Catalog().Find("toy.add")!;

        Assert.Equal([new Port("left", "double", false), new Port("right", "double", true)], add.Inputs);
        Assert.Equal([new Port("sum", "double", false)], add.Outputs);
        Assert.Equal(("toy", "Adds two numbers"), (add.Family, add.Description));
    }

    [Fact]
    public void Writes_the_form_as_a_json_schema_with_default_range_and_description()
    {
        var value = ToyActivities.Catalog().Find("toy.number")!.Parameters["properties"]!["value"]!;

        Assert.Equal(
            """{"type":"number","default":1,"minimum":0,"maximum":10,"description":"The number"}""",
            value.ToJsonString());
    }

    [Fact]
    public void Refuses_a_kind_twice()
    {
        var error = Assert.Throws<ArgumentException>(() => ToyActivities.Catalog().Add(new AddActivity()));

        Assert.Equal("two activities have the kind 'toy.add'", error.Message);
    }
}
