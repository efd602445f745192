using System.Globalization;
using System.Xml.Linq;

namespace EfPooling.Benchmarks.Load.Report;

/// <summary>A picture in the making. Lengths are pixels.</summary>
internal sealed class SvgCanvas
{
    private const string Ink = "#24292f";

    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    private readonly XElement _root;

    public SvgCanvas(int width, int height, string title)
    {
        _root = new XElement(
            Svg + "svg",
            new XAttribute("viewBox", $"0 0 {width} {height}"),
            new XAttribute("width", width),
            new XAttribute("height", height),
            new XAttribute("font-family", "system-ui, sans-serif"),
            new XAttribute("font-size", 12),
            new XAttribute("role", "img"),
            new XElement(Svg + "title", title));
        Rectangle(0, 0, width, height, "#ffffff"); // readable on dark pages too
        Text(16, 26, title, size: 16, weight: "bold");
    }

    public void Rectangle(double x, double y, double width, double height, string fill, string? tip = null)
    {
        var element = new XElement(Svg + "rect", At("x", x), At("y", y), At("width", width), At("height", height), new XAttribute("fill", fill));
        if (tip is not null)
        {
            element.Add(new XElement(Svg + "title", tip));
        }

        _root.Add(element);
    }

    public void Line(double x1, double y1, double x2, double y2, string stroke)
        => _root.Add(new XElement(Svg + "line", At("x1", x1), At("y1", y1), At("x2", x2), At("y2", y2), new XAttribute("stroke", stroke)));

    public void Polyline(IEnumerable<(double X, double Y)> points, string stroke)
        => _root.Add(new XElement(
            Svg + "polyline",
            new XAttribute("points", string.Join(' ', points.Select(point => string.Create(CultureInfo.InvariantCulture, $"{point.X:0.#},{point.Y:0.#}")))),
            new XAttribute("fill", "none"),
            new XAttribute("stroke", stroke),
            new XAttribute("stroke-width", 2)));

    public void Dot(double x, double y, string fill, string tip)
        => _root.Add(new XElement(Svg + "circle", At("cx", x), At("cy", y), At("r", 3.5), new XAttribute("fill", fill), new XElement(Svg + "title", tip)));

    /// <param name="x">Where the text begins, ends or has its middle, as the anchor says.</param>
    /// <param name="y">The base line.</param>
    /// <param name="text">One line.</param>
    /// <param name="anchor">start, middle or end.</param>
    /// <param name="size">Height of the font.</param>
    /// <param name="weight">normal or bold.</param>
    public void Text(double x, double y, string text, string anchor = "start", int size = 12, string weight = "normal")
        => _root.Add(new XElement(
            Svg + "text",
            At("x", x),
            At("y", y),
            new XAttribute("text-anchor", anchor),
            new XAttribute("font-size", size),
            new XAttribute("font-weight", weight),
            new XAttribute("fill", Ink),
            text));

    public override string ToString() => _root + "\n";

    private static XAttribute At(string name, double value) => new(name, Math.Round(value, 1).ToString(CultureInfo.InvariantCulture));
}
