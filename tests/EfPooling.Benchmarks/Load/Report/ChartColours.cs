using EfPooling.Benchmarks.Load.Peers;

namespace EfPooling.Benchmarks.Load.Report;

/// <summary>A colour for each peer, the same in all charts, told apart by colour-blind readers too (after Okabe and Ito).</summary>
internal static class ChartColours
{
    private static readonly string[] Palette = ["#999999", "#56b4e9", "#0072b2", "#cc79a7", "#e69f00", "#d55e00"];

    public static string Of(string peer)
    {
        var index = AllPeers.List.ToList().FindIndex(known => known.Name == peer);
        return Palette[Math.Max(0, index) % Palette.Length];
    }
}
