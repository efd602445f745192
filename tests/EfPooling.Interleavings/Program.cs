using EfPooling.Interleavings.Rewriting;

// Gives the assemblies that are named the points at which flows are switched. They are replaced in place.
foreach (var path in args)
{
    AssemblyRewriter.Rewrite(path);
}
