using System.Runtime.CompilerServices;
using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace EfPooling.Analyzers.Sql;

/// <summary>
/// Which members of a project may run in a transaction that another one has begun, by names alone: a namesake counts. In a library, whatever another
/// project can call may. Read once for a project, and only where a rule asks. Immutable after that, so thread-safe.
/// </summary>
internal sealed class ProjectTransactions
{
    private static readonly ConditionalWeakTable<Compilation, ProjectTransactions> Cache = new();

    private static readonly HashSet<string> Begins =
        ["BeginTransaction", "BeginTransactionAsync", "UseTransaction", "UseTransactionAsync", "ExecuteInTransaction", "ExecuteInTransactionAsync"];

    private static readonly HashSet<string> Ambient = ["TransactionScope", "EnlistTransaction", "CommittableTransaction"];

    private readonly ProjectMembers _members;
    private readonly HashSet<string> _reached = [];
    private readonly bool _isAnything; // a member begins one for code that the project does not show
    private readonly bool _hasAmbient;

    private ProjectTransactions(Compilation compilation, CancellationToken cancellation)
    {
        _members = new ProjectMembers(compilation, cancellation);
        _hasAmbient = Ambient.Any(name => _members.Mentioning(name).Count > 0);
        var starts = new Queue<MemberDeclarationSyntax>(Begins.SelectMany(_members.Mentioning));
        _isAnything = Follow(starts, compilation, cancellation);
        foreach (var member in OutsideCallers.AreOf(compilation) && !_isAnything ? _members.All : [])
        {
            cancellation.ThrowIfCancellationRequested();
            if (OutsideCallers.MayCall(member, compilation))
            {
                _reached.Add(ProjectMembers.NameOf(member) ?? "");
                Reach(member);
            }
        }
    }

    /// <summary>Whether the project uses ambient transactions, under which there may be one anywhere.</summary>
    public static bool HasAmbient(Compilation compilation, CancellationToken cancellation) => Of(compilation, cancellation)._hasAmbient;

    /// <summary>Whether a member that begins a transaction may lead to this one, or this one asks whether there is one.</summary>
    public static bool MayReach(Compilation compilation, ISymbol member, CancellationToken cancellation)
    {
        var project = Of(compilation, cancellation);
        var declared = (member as IMethodSymbol)?.AssociatedSymbol ?? member;
        var name = declared is IMethodSymbol { MethodKind: MethodKind.Constructor } ? member.ContainingType.Name : declared.Name;
        return project._isAnything || project._reached.Contains(name.Substring(name.LastIndexOf('.') + 1)) || (OutsideCallers.AreOf(compilation) && OutsideCallers.MayCall(declared))
            || declared.DeclaringSyntaxReferences.Any(declaration => project.IsGuarded(Assignments.MemberOf(declaration.GetSyntax(cancellation))));
    }

    private static ProjectTransactions Of(Compilation compilation, CancellationToken cancellation)
        => Cache.GetValue(compilation, known => new ProjectTransactions(known, cancellation));

    // It looks at the transaction there is, or calls something that does.
    private bool IsGuarded(SyntaxNode member)
        => MentionedNames.In(member) is var names && (names.Contains("CurrentTransaction")
            || _members.Mentioning("CurrentTransaction").Any(guard => ProjectMembers.NameOf(guard) is { } name && names.Contains(name)));

    // Whether there is a member for whose transaction the project does not show who is in it.
    private bool Follow(Queue<MemberDeclarationSyntax> starts, Compilation compilation, CancellationToken cancellation)
    {
        var begun = new HashSet<MemberDeclarationSyntax>();
        while (starts.Count > 0)
        {
            cancellation.ThrowIfCancellationRequested();
            var member = starts.Dequeue();
            if (!begun.Add(member))
            {
                continue;
            }

            Reach(member);
            if (!TransactionHandOver.KeepsOpen(member, Begins) && !TransactionHandOver.RunsDelegates(member))
            {
                continue;
            }

            // A framework calls it: a filter, a behaviour of a pipeline, a set-up of tests. And who makes an object is nobody's business: a container, a base class.
            var callers = ProjectMembers.NameOf(member) is { } name && member is not ConstructorDeclarationSyntax ? _members.Mentioning(name).Where(other => other != member).ToList() : [];
            if (callers.Count == 0 || OutsideCallers.AreOfFramework(member, compilation))
            {
                return true;
            }

            callers.ForEach(starts.Enqueue);
        }

        return new UnseenCalls(compilation, _members, cancellation).ExistIn(begun);
    }

    private void Reach(MemberDeclarationSyntax from)
    {
        // Top-level statements are one body.
        var pending = new Stack<SyntaxNode>(from is GlobalStatementSyntax ? from.Parent!.ChildNodes().OfType<GlobalStatementSyntax>() : [from]);
        while (pending.Count > 0)
        {
            foreach (var name in MentionedNames.In(pending.Pop()))
            {
                foreach (var member in _reached.Add(name) ? _members.Named(name) : [])
                {
                    pending.Push(member);
                }
            }
        }
    }
}
