namespace EfPooling.EntityFrameworkCore.Tests.Settings;

/// <summary>A caller of the stress changed its mind, in the middle of something.</summary>
internal sealed class IntendedException : Exception;
