using Mono.Cecil;
using Mono.Cecil.Cil;

namespace EfPooling.Architecture.Flows;

/// <summary>Makes a copy of this program in which each method of EfPooling tells <see cref="FlowRecorder"/> that it was entered.</summary>
internal static class Rewriter
{
    private static readonly string[] Measured = ["EfPooling.Core.dll", "EfPooling.AdoNet.dll", "EfPooling.EntityFrameworkCore.dll"];

    public static void Copy(string from, string to)
    {
        foreach (var folder in Directory.EnumerateDirectories(from, "*", SearchOption.AllDirectories))
        {
            Directory.CreateDirectory(Path.Combine(to, Path.GetRelativePath(from, folder)));
        }

        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(to, Path.GetRelativePath(from, file));
            if (Measured.Contains(Path.GetFileName(file)))
            {
                Rewrite(file, copy);
            }
            else
            {
                File.Copy(file, copy);
            }
        }
    }

    private static void Rewrite(string from, string to)
    {
        using var resolver = new DefaultAssemblyResolver();
        resolver.AddSearchDirectory(Path.GetDirectoryName(from));
        resolver.AddSearchDirectory(Path.GetDirectoryName(typeof(object).Assembly.Location));
        using var module = ModuleDefinition.ReadModule(from, new ReaderParameters { AssemblyResolver = resolver });
        var enter = module.ImportReference(typeof(FlowRecorder).GetMethod(nameof(FlowRecorder.Enter)));
        foreach (var method in module.GetTypes().SelectMany(type => type.Methods).Where(method => method is { HasBody: true, IsConstructor: false, Body.Instructions.Count: > 0 }))
        {
            var code = method.Body.GetILProcessor();
            var first = method.Body.Instructions[0];
            code.InsertBefore(first, code.Create(OpCodes.Ldstr, Outermost(method.DeclaringType).FullName));
            code.InsertBefore(first, code.Create(OpCodes.Call, enter));
        }

        module.Write(to);
    }

    private static TypeDefinition Outermost(TypeDefinition type) => type.DeclaringType is { } outer ? Outermost(outer) : type;
}
