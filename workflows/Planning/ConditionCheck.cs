using System.Collections.Immutable;

namespace Pipelines.Workflows.Planning;

/// <summary>Reads conditions, and finds what their names stand for.</summary>
internal sealed class ConditionCheck(Resolver resolver, Faults faults)
{
    private readonly Dictionary<Condition, PlannedCondition?> known = new(ReferenceEqualityComparer.Instance);

    public IReadOnlyList<PlannedCondition> Plan(ImmutableList<Condition> conditions) =>
        [.. conditions.Select(Plan).OfType<PlannedCondition>()];

    private PlannedCondition? Plan(Condition condition) => known.TryGetValue(condition, out var planned)
        ? planned
        : known[condition] = Read(condition);

    private PlannedCondition? Read(Condition condition)
    {
        try
        {
            var expression = Expression.ParseCondition(condition.Text);
            var outputs = new Dictionary<string, PlannedInput>();
            var fine = true;
            foreach (var name in expression.Names.Where(name => name.Output is not null))
            {
                if (Find(condition, name) is { } found)
                    outputs[name.Output!.ToString()] = found;
                else
                    fine = false;
            }

            var variables = condition.Scope.Variables;
            var parameters = expression.Names.Select(name => name.Parameter).OfType<string>().Distinct().ToList();
            foreach (var name in parameters.Where(name => !variables.Knows(name)))
                Fault(condition, $"there is no parameter '{name}'{Suggestion.For(name, [.. variables.Values.Keys])}");
            return fine && parameters.TrueForAll(variables.Values.ContainsKey)
                ? new PlannedCondition(
                    condition.Text, condition.Expected, parameters.ToDictionary(name => name, name => variables.Values[name]), outputs)
                : null;
        }
        catch (ExpressionException error)
        {
            Fault(condition, error.Message);
            return null;
        }
    }

    private PlannedInput? Find(Condition condition, ExpressionName name)
    {
        var found = resolver.Find(
            name.Output!.ToString(), condition.Scope, condition.Stage, $"{condition.What} at {name.Position}: a value");
        if (found is null)
            return null;
        if (found.Input.IsList)
            return Fault(condition, $"'{name.Output}' at {name.Position} is a {found.Written}: one for each combination of a matrix");

        // A slip in a name is to be found now, not after hours.
        var schema = found.Schema;
        foreach (var (member, index) in name.Path.Select((member, index) => (member, index)))
        {
            if (Schemas.Members(schema) is not { } members)
                break;
            if (!members.Contains(member))
            {
                var owner = string.Join('.', name.Parts.Take(2 + index));
                return Fault(condition, $"'{owner}' at {name.Position} has no member '{member}'{Suggestion.For(member, members)}");
            }

            schema = Schemas.Member(schema, member);
        }

        return found.Input;
    }

    private PlannedInput? Fault(Condition condition, string message)
    {
        faults.Add(condition.Stage, $"{condition.What}: {message}");
        return null;
    }
}
