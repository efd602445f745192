using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace EfPooling.Analyzers.Sql;

/// <summary>The members of a project by their names and by the names that they mention. One walk through the project. Immutable after that, so thread-safe.</summary>
internal sealed class ProjectMembers
{
    private readonly List<MemberDeclarationSyntax> _all = [];
    private readonly Dictionary<string, List<MemberDeclarationSyntax>> _named = [];
    private readonly Dictionary<string, List<MemberDeclarationSyntax>> _mentioning = [];

    public ProjectMembers(Compilation compilation, CancellationToken cancellation)
    {
        foreach (var tree in compilation.SyntaxTrees)
        {
            cancellation.ThrowIfCancellationRequested();
            foreach (var member in tree.GetRoot(cancellation).DescendantNodes(node => node is not StatementSyntax and not ExpressionSyntax).OfType<MemberDeclarationSyntax>())
            {
                if (member is not BaseNamespaceDeclarationSyntax and not BaseTypeDeclarationSyntax)
                {
                    Add(member);
                }
            }
        }
    }

    public IReadOnlyList<MemberDeclarationSyntax> All => _all;

    /// <summary>The methods, constructors and properties of a name.</summary>
    public IReadOnlyList<MemberDeclarationSyntax> Named(string name) => _named.TryGetValue(name, out var members) ? members : [];

    public IReadOnlyList<MemberDeclarationSyntax> Mentioning(string name) => _mentioning.TryGetValue(name, out var members) ? members : [];

    /// <summary>Null: it is called in another way.</summary>
    public static string? NameOf(MemberDeclarationSyntax member) => member switch
    {
        MethodDeclarationSyntax method => method.Identifier.ValueText,
        ConstructorDeclarationSyntax constructor => constructor.Identifier.ValueText,
        PropertyDeclarationSyntax property => property.Identifier.ValueText,
        _ => null,
    };

    private void Add(MemberDeclarationSyntax member)
    {
        _all.Add(member);
        if (NameOf(member) is { } name)
        {
            Add(_named, name, member);
        }

        foreach (var mentioned in MentionedNames.In(member))
        {
            Add(_mentioning, mentioned, member);
        }
    }

    private static void Add(Dictionary<string, List<MemberDeclarationSyntax>> index, string name, MemberDeclarationSyntax member)
    {
        if (!index.TryGetValue(name, out var members))
        {
            index.Add(name, members = []);
        }

        members.Add(member);
    }
}
