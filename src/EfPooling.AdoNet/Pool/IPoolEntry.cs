namespace EfPooling.AdoNet;

/// <summary>Keeps one pool under its key while the pool is used.</summary>
internal interface IPoolEntry
{
    /// <summary>The pool is used: keeps it alive.</summary>
    void Keep(IKeptPool pool);

    /// <summary>The pool is unused: it disappears with its last reference.</summary>
    /// <returns>Whether it was kept until now.</returns>
    bool LetGo();

    /// <summary>The pool is closed: removes the entry.</summary>
    void Leave();
}
