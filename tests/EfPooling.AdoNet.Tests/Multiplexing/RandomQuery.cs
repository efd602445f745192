using System.Data;
using System.Globalization;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>A read with its parameters, that can be run any number of times.</summary>
/// <param name="Text">The SQL.</param>
/// <param name="Parameters">Made anew for each run.</param>
internal sealed record RandomQuery(string Text, Func<IEnumerable<NpgsqlParameter>> Parameters)
{
    /// <summary>How it is read.</summary>
    public CommandBehavior Behavior { get; init; }

    /// <summary>A read of a table with an <c>id</c>, a <c>large</c> text and other columns.</summary>
    /// <param name="random">What chooses.</param>
    /// <param name="table">Its name.</param>
    /// <param name="columns">Those that depend on it.</param>
    public static RandomQuery Create(Random random, string table, IReadOnlyList<string> columns)
    {
        var id = random.Next(-1, 40);
        var text = $"of {id.ToString(CultureInfo.InvariantCulture)}";
        var column = columns[random.Next(columns.Count)];
        var other = columns[random.Next(columns.Count)];
        return (random.Next(50) == 0 ? random.Next(10, 15) : random.Next(11) is var kind and < 10 ? kind : 15) switch
        {
            0 => Plain($"SELECT * FROM {table} ORDER BY id"),
            1 => Plain($"SELECT {column}, {other}, {column} IS NULL AS nothing FROM {table} ORDER BY id LIMIT {random.Next(5)};"),
            2 => Plain($"SELECT large, id FROM {table} WHERE id % 10 = 3"),
            3 => new($"SELECT id, {column} FROM {table} WHERE id > $1 ORDER BY id", () => [new NpgsqlParameter<int> { TypedValue = id }]),
            4 => new($"SELECT {column}, @text AS echo FROM {table} WHERE id <= @id ORDER BY id", () => [new("id", id), new("text", text)]),
            5 => new("SELECT $1, $2, $3, $4, $1", () => [new() { Value = text }, new() { Value = id + 0.5m }, new() { Value = new[] { id, 1 } }, new() { Value = new Guid(id + 1, 0, 0, new byte[8]) }]),
            6 => Plain($"SELECT array_agg({column} ORDER BY id), count(*), max(id)::numeric / 3 FROM {table}"),
            7 => Plain($"WITH t AS (SELECT * FROM {table}) SELECT a.id, b.{column} FROM t a LEFT JOIN t b ON b.id = a.id + 1 ORDER BY a.id -- end"),
            8 => Plain($"VALUES ({id}, NULL::{RandomType.All[random.Next(RandomType.All.Count)].Name}), (2, NULL)"),
            9 => Plain($"SELECT id FROM {table} WHERE false"),
            // Those that fail end their read batch, so they are rare.
            10 => Plain($"SELECT id, 10 / ({random.Next(1, 20)} - id) AS quotient FROM {table} ORDER BY id"), // fails at any row, or none
            11 => Plain($"SELECT id, missing_{random.Next(3)} FROM {table}"),
            12 => Plain($"SELECT {id} FORM {table}"),
            13 => new("SELECT $1::int", () => [new() { Value = text }]),
            14 => Plain($"SELECT ('{text}')::uuid"),
            _ => new($"SELECT t, {id} AS own FROM {table} AS t WHERE id = @id", () => [new("id", id)]), // a whole row
        };

        static RandomQuery Plain(string text) => new(text, () => []);
    }
}
