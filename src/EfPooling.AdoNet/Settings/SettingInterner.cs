using System.Collections.Concurrent;

namespace EfPooling.AdoNet;

/// <summary>
/// Makes equal maps the same object, because affinity compares by reference. Thread-safe. When there are too many (one per tenant, and
/// very many tenants) it starts afresh, which costs no more than some affinity.
/// </summary>
internal sealed class SettingInterner
{
    private const int Limit = 10_000;

    private readonly ConcurrentDictionary<SettingMap, SettingMap> _maps = new();

    public SettingMap Intern(SettingMap map)
    {
        if (map.IsEmpty)
        {
            return SettingMap.Empty;
        }

        if (_maps.Count >= Limit)
        {
            _maps.Clear();
        }

        return _maps.GetOrAdd(map, map);
    }
}
