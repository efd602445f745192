namespace BadSample;

public static class Efp0015
{
    public static string Run(Shop db) => ((NpgsqlConnection)db.Database.GetDbConnection()).Host ?? "";
}
