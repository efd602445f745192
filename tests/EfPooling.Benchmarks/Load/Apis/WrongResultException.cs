namespace EfPooling.Benchmarks.Load.Apis;

/// <summary>A peer answered, but not what was asked.</summary>
internal sealed class WrongResultException() : Exception("Other rows came than were asked for.")
{
    public static void ThrowUnless(bool isRight)
    {
        if (!isRight)
        {
            throw new WrongResultException();
        }
    }
}
