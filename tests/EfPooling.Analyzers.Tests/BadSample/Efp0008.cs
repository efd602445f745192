namespace BadSample;

public static class Efp0008
{
    public static void Run(Shop db)
    {
        _ = db.SaveChangesAsync();
    }
}
