namespace Pipelines.Workflows.Planning;

/// <summary>Whether what feeds an activity's ports fits them.</summary>
internal static class PortCheck
{
    public static Dictionary<string, PlannedInput> Join(Leaf leaf, CatalogEntry entry, Faults faults)
    {
        foreach (var name in leaf.Inputs.Names.Where(name => entry.Inputs.All(port => port.Name != name)))
        {
            faults.Add(leaf.Stage, $"{entry.Kind} has no input '{name}'"
                + Suggestion.For(name, [.. entry.Inputs.Select(port => port.Name)]));
        }

        var joined = new Dictionary<string, PlannedInput>();
        foreach (var port in entry.Inputs)
        {
            if (!leaf.Inputs.Names.Contains(port.Name))
            {
                if (!port.Optional)
                    faults.Add(leaf.Stage, $"input '{port.Name}' ({port.Type}) is not connected");
            }
            else if (leaf.Inputs.Find(port.Name, port.IsList) is { } found && Fits(leaf, port, found, faults))
            {
                joined[port.Name] = found.Input with { IsList = port.IsList };
            }
        }

        return joined;
    }

    private static bool Fits(Leaf leaf, Port port, Resolved found, Faults faults)
    {
        if (found.Type == port.ItemType && (port.IsList || !found.Input.IsList))
            return true;
        var source = leaf.Definition.Inputs![port.Name];
        faults.Add(leaf.Stage, $"input '{port.Name}' takes a {port.Type}, but {source} is a {found.Written}"
            + (found.Type == port.Type ? ": one for each combination of a matrix" : ""));
        return false;
    }
}
