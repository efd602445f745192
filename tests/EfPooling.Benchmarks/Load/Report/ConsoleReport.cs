using System.Diagnostics;
using EfPooling.Benchmarks.Load.Scenarios;
using Spectre.Console;

namespace EfPooling.Benchmarks.Load.Report;

/// <summary>Shows progress and results on the console.</summary>
internal sealed class ConsoleReport
{
    private const int WidthOfFiles = 200; // where there is no terminal whose width is known

    private readonly IAnsiConsole _console = Console.IsOutputRedirected ? ForFiles() : AnsiConsole.Console;

    /// <summary>Without colours and never wrapped, as scripts read it.</summary>
    public void WriteLine(string line) => _console.Profile.Out.Writer.WriteLine(line);

    public Task<T> ShowAsync<T>(string what, Func<Task<T>> action) => _console.Status().StartAsync(what, _ => action());

    public void WriteHead(MachineInfo machine, IReadOnlyList<string> peers, IReadOnlyList<string> skipped)
    {
        foreach (var (name, value) in machine.Facts)
        {
            WriteLine($"{name,-18}{value}");
        }

        WriteLine("");
        foreach (var line in peers.Concat(skipped))
        {
            WriteLine(line);
        }

        WriteLine("");
    }

    /// <summary>Runs a scenario under a progress bar.</summary>
    public async Task<ScenarioResult> RunAsync(Scenario scenario, LoadContext context)
    {
        var start = Stopwatch.GetTimestamp();
        ScenarioResult? result = null;
        await _console.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(async progress =>
            {
                var steps = new ProgressSteps(scenario.Name, progress.AddTask(scenario.Name));
                result = await scenario.RunAsync(context, steps);
                steps.End();
            });
        WriteLine($"{scenario.Name} took {Stopwatch.GetElapsedTime(start).TotalSeconds:0} s");
        return result!;
    }

    public void Write(ScenarioResult result)
    {
        var table = new Table { Title = new TableTitle(Markup.Escape($"{result.Name}: {result.Description}")) };
        for (var i = 0; i < result.Table.Columns.Count; i++)
        {
            var column = new TableColumn(Markup.Escape(result.Table.Columns[i]));
            table.AddColumn(i < result.Table.TextColumns ? column : column.RightAligned());
        }

        foreach (var row in result.Table.Rows)
        {
            table.AddRow([.. row.Select(Markup.Escape)]);
        }

        _console.Write(table);
        foreach (var note in result.Notes)
        {
            WriteLine(note);
        }

        WriteLine("");
    }

    private static IAnsiConsole ForFiles()
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors, Interactive = InteractionSupport.No });
        console.Profile.Width = WidthOfFiles;
        return console;
    }

    /// <summary>The steps of a scenario as a bar.</summary>
    private sealed class ProgressSteps(string name, ProgressTask task) : ILoadProgress
    {
        private bool _hasBegun; // steps come one after the other

        public void Begin(int steps) => task.MaxValue = steps;

        public void Step(string what)
        {
            task.Increment(_hasBegun ? 1 : 0);
            _hasBegun = true;
            task.Description = Markup.Escape($"{name}: {what}");
        }

        public void End()
        {
            task.Value = task.MaxValue;
            task.Description = Markup.Escape(name);
        }
    }
}
