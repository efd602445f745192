using System.Runtime.CompilerServices;
using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace EfPooling.Analyzers.Sql;

/// <summary>
/// Which members of a project may run in a transaction that another one has begun, by names alone: a namesake counts. Read once for a project, and
/// only where a rule asks. Immutable after that, so thread-safe.
/// </summary>
internal sealed class ProjectTransactions
{
    private static readonly ConditionalWeakTable<Compilation, ProjectTransactions> Cache = new();

    private static readonly HashSet<string> Begins = ["BeginTransaction", "BeginTransactionAsync", "UseTransaction", "UseTransactionAsync"];

    private readonly Dictionary<string, List<MemberDeclarationSyntax>> _members = [];
    private readonly HashSet<string> _reached = [];
    private bool _isAnything; // a member begins one for code that the project does not show
    private bool _hasAmbient;

    private ProjectTransactions(Compilation compilation)
    {
        var starts = new Queue<MemberDeclarationSyntax>();
        foreach (var member in compilation.SyntaxTrees.SelectMany(tree => tree.GetRoot().DescendantNodes(node => node is not StatementSyntax and not ExpressionSyntax)).OfType<MemberDeclarationSyntax>())
        {
            if (member is BaseNamespaceDeclarationSyntax or BaseTypeDeclarationSyntax)
            {
                continue;
            }

            if (NameOf(member) is { } name)
            {
                if (!_members.TryGetValue(name, out var namesakes))
                {
                    _members.Add(name, namesakes = []);
                }

                namesakes.Add(member);
            }

            var names = MentionedNames.In(member);
            _hasAmbient |= names.Contains("TransactionScope") || names.Contains("EnlistTransaction") || names.Contains("CommittableTransaction");
            if (names.Overlaps(Begins))
            {
                starts.Enqueue(member);
            }
        }

        Follow(starts, compilation);
    }

    /// <summary>Whether the project uses ambient transactions, under which there may be one anywhere.</summary>
    public static bool HasAmbient(Compilation compilation) => Of(compilation)._hasAmbient;

    /// <summary>Whether a member that begins a transaction may lead to this one.</summary>
    public static bool MayReach(Compilation compilation, ISymbol member)
    {
        var project = Of(compilation);
        var name = (member as IMethodSymbol)?.AssociatedSymbol?.Name ?? (member is IMethodSymbol { MethodKind: MethodKind.Constructor } ? member.ContainingType.Name : member.Name);
        return project._isAnything || project._reached.Contains(name.Substring(name.LastIndexOf('.') + 1));
    }

    private static ProjectTransactions Of(Compilation compilation) => Cache.GetValue(compilation, known => new ProjectTransactions(known));

    private static string? NameOf(MemberDeclarationSyntax member) => member switch
    {
        MethodDeclarationSyntax method => method.Identifier.ValueText,
        ConstructorDeclarationSyntax constructor => constructor.Identifier.ValueText,
        PropertyDeclarationSyntax property => property.Identifier.ValueText,
        _ => null,
    };

    private void Follow(Queue<MemberDeclarationSyntax> starts, Compilation compilation)
    {
        var begun = new HashSet<MemberDeclarationSyntax>();
        while (starts.Count > 0)
        {
            var member = starts.Dequeue();
            if (!begun.Add(member))
            {
                continue;
            }

            Reach(member);
            var (keeps, runs) = (TransactionHandOver.KeepsOpen(member, Begins), TransactionHandOver.RunsDelegates(member));
            if (!keeps && !runs)
            {
                continue;
            }

            // A framework calls it: a filter, a behaviour of a pipeline, a set-up of tests. And who makes an object is nobody's business: a container, a base class.
            var callers = NameOf(member) is { } name && member is not ConstructorDeclarationSyntax
                ? _members.Values.SelectMany(members => members).Where(other => other != member && MentionedNames.In(other).Contains(name)).ToList()
                : [];
            _isAnything |= callers.Count == 0 || OutsideCallers.AreOfFramework(member, compilation);
            callers.ForEach(starts.Enqueue);
        }
    }

    private void Reach(MemberDeclarationSyntax from)
    {
        var pending = new Stack<MemberDeclarationSyntax>([from]);
        while (pending.Count > 0)
        {
            foreach (var name in MentionedNames.In(pending.Pop()))
            {
                if (_reached.Add(name) && _members.TryGetValue(name, out var members))
                {
                    members.ForEach(pending.Push);
                }
            }
        }
    }
}
