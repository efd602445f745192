using Mono.Cecil;

namespace EfPooling.Interleavings.Rewriting;

/// <summary>Puts points at which flows may be switched into the IL of an assembly.</summary>
internal static class AssemblyRewriter
{
    /// <summary>Replaces the file. Does nothing if that has been done before.</summary>
    public static void Rewrite(string path)
    {
        using var resolver = new DefaultAssemblyResolver();
        resolver.AddSearchDirectory(Path.GetDirectoryName(path));
        resolver.AddSearchDirectory(Path.GetDirectoryName(typeof(object).Assembly.Location));
        using var stream = new MemoryStream(File.ReadAllBytes(path));
        using var assembly = AssemblyDefinition.ReadAssembly(stream, new ReaderParameters { AssemblyResolver = resolver });
        var module = assembly.MainModule;
        if (module.AssemblyReferences.Any(reference => reference.Name == typeof(SwitchPoint).Assembly.GetName().Name))
        {
            return;
        }

        foreach (var type in module.GetTypes())
        {
            foreach (var method in type.Methods.Where(method => method.HasBody))
            {
                new MethodRewriter(method).Rewrite();
            }
        }

        assembly.Write(path);
    }
}
