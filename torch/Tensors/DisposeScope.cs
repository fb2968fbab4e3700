namespace TorchSharp;

public static partial class torch
{
    /// <summary>
    /// Opens a scope that disposes, when it ends, every tensor made on this thread since. Scopes belong to a thread: do
    /// not await inside one, as what runs after may be on another thread and outside of it.
    /// </summary>
    public static DisposeScope NewDisposeScope() => new();

    public static DisposeScope? CurrentDisposeScope => DisposeScope.Current;

    /// <summary>Runs an expression in a scope of its own; only its result outlives it.</summary>
    public static Tensor WrappedTensorDisposeScope(Func<Tensor> expr)
    {
        using var scope = NewDisposeScope();
        return scope.MoveToOuter(expr());
    }
}

/// <summary>Owns the tensors that were made while it was the innermost scope of its thread.</summary>
public sealed class DisposeScope : IDisposable
{
    [ThreadStatic]
    private static DisposeScope? current;

    // By reference: tensors compare by their elements.
    private readonly HashSet<torch.Tensor> tensors = new(ReferenceEqualityComparer.Instance);

    // Tensors join on the scope's thread, but may be disposed on any.
    private readonly Lock gate = new();
    private bool disposed;

    internal DisposeScope()
    {
        OuterScope = current;
        current = this;
    }

    public int DisposablesCount => Snapshot().Length;

    public IReadOnlyList<IDisposable> DisposablesView => Snapshot();

    internal static DisposeScope? Current => current;

    internal DisposeScope? OuterScope { get; private set; }

    /// <summary>Hands a tensor of this scope to the scope around it, or to nobody where there is none.</summary>
    public T MoveToOuter<T>(T disposable)
        where T : IDisposable
    {
        MoveToOther(OuterScope, disposable);
        return disposable;
    }

    public (T1 First, T2 Second) MoveToOuter<T1, T2>(T1 first, T2 second)
        where T1 : IDisposable
        where T2 : IDisposable => (MoveToOuter(first), MoveToOuter(second));

    public (T1 First, T2 Second, T3 Third) MoveToOuter<T1, T2, T3>(T1 first, T2 second, T3 third)
        where T1 : IDisposable
        where T2 : IDisposable
        where T3 : IDisposable => (MoveToOuter(first), MoveToOuter(second), MoveToOuter(third));

    public void MoveToOuter(params IDisposable[] disposables) => MoveToOuter((IEnumerable<IDisposable>)disposables);

    public void MoveToOuter(IEnumerable<IDisposable> disposables)
    {
        foreach (var disposable in disposables)
            MoveToOther(OuterScope, disposable);
    }

    /// <summary>Hands a tensor of this scope to another; null makes the caller its owner.</summary>
    public T MoveToOther<T>(DisposeScope? scope, T disposable)
        where T : IDisposable
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        if (disposable is torch.Tensor tensor && tensor.OwningDisposeScope == this)
            tensor.Join(scope);
        return disposable;
    }

    /// <summary>Takes a tensor out of this scope: from here on the caller disposes it.</summary>
    public T Detach<T>(T disposable)
        where T : IDisposable => MoveToOther(null, disposable);

    public (T1 First, T2 Second) Detach<T1, T2>(T1 first, T2 second)
        where T1 : IDisposable
        where T2 : IDisposable => (Detach(first), Detach(second));

    public void Detach(params IDisposable[] disposables) => Detach((IEnumerable<IDisposable>)disposables);

    public void Detach(IEnumerable<IDisposable> disposables)
    {
        foreach (var disposable in disposables)
            MoveToOther(null, disposable);
    }

    /// <summary>Puts a tensor into this scope, out of the one that it was in.</summary>
    public void Attach(IDisposable disposable)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        if (disposable is torch.Tensor tensor)
            tensor.Join(this);
    }

    public void Attach(params IDisposable[] disposables)
    {
        foreach (var disposable in disposables)
            Attach(disposable);
    }

    public bool Contains(IDisposable disposable) =>
        disposable is torch.Tensor tensor && tensor.OwningDisposeScope == this;

    public void DisposeEverything() => DisposeEverythingBut();

    /// <summary>Disposes all but the given tensors, which stay in the scope.</summary>
    public void DisposeEverythingBut(params IDisposable[] keep) => DisposeEverythingBut((IEnumerable<IDisposable>)keep);

    public void DisposeEverythingBut(IEnumerable<IDisposable> inKeep)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        var kept = inKeep.OfType<torch.Tensor>().ToHashSet<torch.Tensor>(ReferenceEqualityComparer.Instance);
        foreach (var tensor in Snapshot())
        {
            if (!kept.Contains(tensor))
                tensor.Dispose();
        }
    }

    public T DisposeEverythingBut<T>(T keep)
        where T : IDisposable
    {
        DisposeEverythingBut([keep]);
        return keep;
    }

    public void Dispose()
    {
        if (disposed)
            return;
        DisposeEverything();
        disposed = true;
        if (current == this)
        {
            current = OuterScope;
            return;
        }

        // Scopes may end out of order: take this one out from between its neighbours.
        for (var scope = current; scope is not null; scope = scope.OuterScope)
        {
            if (scope.OuterScope == this)
                scope.OuterScope = OuterScope;
        }
    }

    internal void Add(torch.Tensor tensor)
    {
        lock (gate)
            tensors.Add(tensor);
    }

    internal void Remove(torch.Tensor tensor)
    {
        lock (gate)
            tensors.Remove(tensor);
    }

    private torch.Tensor[] Snapshot()
    {
        lock (gate)
            return [.. tensors];
    }
}
