using System.Collections.Concurrent;
using EfPooling.AdoNet.Sql;

namespace EfPooling.AdoNet;

/// <summary>
/// Makes equal maps the same object, because affinity compares by reference. Thread-safe. When the maps are too many (one per
/// tenant, and very many tenants) or too large, it starts afresh, which costs only some affinity.
/// </summary>
internal sealed class SettingInterner
{
    private readonly ConcurrentDictionary<SettingMap, SettingMap> _maps = new();
    private readonly TextBudget _budget = new(texts: 10_000, characters: 4_000_000); // of the maps: 8 MB

    public SettingMap Intern(SettingMap map)
    {
        if (map.IsEmpty)
        {
            return SettingMap.Empty;
        }

        if (_maps.TryGetValue(map, out var known))
        {
            return known;
        }

        if (!_budget.TryTake(map.Length))
        {
            _maps.Clear();
        }

        return _maps.GetOrAdd(map, map);
    }
}
