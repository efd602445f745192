namespace EfPooling.Benchmarks.Load.Apis;

/// <summary>The SQL that ADO.NET sends; Dapper sends the same with names for parameters.</summary>
internal static class Statements
{
    public const string ReadItem = "SELECT id, name, stock FROM item WHERE id = $1";
    public const string ReadPage = "SELECT id, page, title, note, price, weight, is_open, created FROM entry WHERE page = $1 ORDER BY id LIMIT $2";
    public const string UpdateItem = "UPDATE item SET stock = stock + 1 WHERE id = $1";
    public const string UpdateAccount = "UPDATE account SET balance = balance + $1 WHERE id = $2";
    public const string ReadBalance = "SELECT balance FROM account WHERE id = $1";
    public const string UpdateTeller = "UPDATE teller SET balance = balance + $1 WHERE id = $2";
    public const string UpdateBranch = "UPDATE branch SET balance = balance + $1 WHERE id = $2";
    public const string InsertHistory = "INSERT INTO history_entry (teller_id, branch_id, account_id, delta, time) VALUES ($1, $2, $3, $4, now())";
}
