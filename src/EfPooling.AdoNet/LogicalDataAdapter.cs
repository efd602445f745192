using System.Data.Common;

namespace EfPooling.AdoNet;

/// <summary>Fills data sets from, and updates them through, <see cref="LogicalCommand"/>s.</summary>
public sealed class LogicalDataAdapter : DbDataAdapter;
