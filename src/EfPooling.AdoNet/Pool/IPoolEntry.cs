namespace EfPooling.AdoNet;

/// <summary>Keeps one pool under its key while that is used.</summary>
internal interface IPoolEntry
{
    /// <summary>The pool is used.</summary>
    void Keep(IKeptPool pool);

    /// <summary>Nobody uses the pool: it goes when nobody has it any more.</summary>
    /// <returns>Whether it was kept until now.</returns>
    bool LetGo();

    /// <summary>The pool is closed.</summary>
    void Leave();
}
