using System.Reflection;
using System.Text;

namespace EfPooling.Testing;

/// <summary>Lists what an assembly offers to others, one line per member, sorted.</summary>
public static class PublicApi
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    /// <summary>The public types with their public and protected members, without what the compiler adds to records.</summary>
    public static string Of(Assembly assembly)
    {
        var text = new StringBuilder();
        foreach (var type in assembly.GetExportedTypes().OrderBy(type => type.FullName, StringComparer.Ordinal))
        {
            text.Append(Kind(type)).Append(' ').Append(type.Namespace).Append('.').Append(Name(type)).Append(Bases(type)).Append('\n');
            foreach (var member in type.GetMembers(Declared).Select(Describe).OfType<string>().Order(StringComparer.Ordinal))
            {
                text.Append("    ").Append(member).Append('\n');
            }

            text.Append('\n');
        }

        return text.ToString();
    }

    private static string Kind(Type type)
        => type.IsEnum ? "enum"
            : type.IsInterface ? "interface"
            : type.IsValueType ? "struct"
            : type is { IsAbstract: true, IsSealed: true } ? "static class"
            : type.IsSealed ? "sealed class"
            : type.IsAbstract ? "abstract class"
            : "class";

    private static string Bases(Type type)
    {
        var bases = type.IsEnum || type.IsValueType ? [] : new[] { type.BaseType }.Where(item => item is not null && item != typeof(object)).Select(item => Name(item!));
        var names = bases.Concat((type.IsEnum ? [] : OwnInterfaces(type)).Select(Name).Order(StringComparer.Ordinal)).ToList();
        return names.Count == 0 ? "" : " : " + string.Join(", ", names);
    }

    private static IEnumerable<Type> OwnInterfaces(Type type) => type.GetInterfaces().Where(item => item.IsPublic).Except(type.BaseType?.GetInterfaces() ?? []);

    private static string? Describe(MemberInfo member) => member switch
    {
        FieldInfo field when IsVisible(field) && !field.IsSpecialName
            => field.DeclaringType!.IsEnum ? $"{field.Name} = {field.GetRawConstantValue()}" : $"{Access(field)}{Name(field.FieldType)} {field.Name}",
        ConstructorInfo constructor when IsVisible(constructor) && !constructor.IsStatic && !IsCopyConstructor(constructor)
            => $"{Access(constructor)}new({Parameters(constructor)})",
        PropertyInfo property when Accessors(property).Count > 0 && property.Name != "EqualityContract"
            => $"{Access(Accessors(property)[0])}{Name(property.PropertyType)} {property.Name}{Index(property)} {{ {string.Join(' ', Accessors(property).Select(Accessor))} }}",
        EventInfo @event when IsVisible(@event.AddMethod!) => $"event {Name(@event.EventHandlerType!)} {@event.Name}",
        MethodInfo { IsSpecialName: false } method when IsVisible(method) && !IsOfRecord(method)
            => $"{Access(method)}{Name(method.ReturnType)} {method.Name}{Generics(method)}({Parameters(method)})",
        _ => null,
    };

    private static bool IsVisible(MethodBase member) => member.IsPublic || member.IsFamily || member.IsFamilyOrAssembly;

    private static bool IsVisible(FieldInfo field) => field.IsPublic || field.IsFamily || field.IsFamilyOrAssembly;

    private static string Access(MethodBase member) => (member.IsPublic ? "" : "protected ") + (member.IsStatic ? "static " : "");

    private static string Access(FieldInfo field) => (field.IsPublic ? "" : "protected ") + (field.IsStatic ? "static " : "");

    private static List<MethodInfo> Accessors(PropertyInfo property) => [.. property.GetAccessors(nonPublic: true).Where(IsVisible)];

    private static string Accessor(MethodInfo accessor)
        => accessor.Name.StartsWith("get_", StringComparison.Ordinal) ? "get;"
            : accessor.ReturnParameter.GetRequiredCustomModifiers().Any(modifier => modifier.Name == "IsExternalInit") ? "init;"
            : "set;";

    private static string Index(PropertyInfo property)
        => property.GetIndexParameters() is { Length: > 0 } parameters ? $"[{string.Join(", ", parameters.Select(parameter => Name(parameter.ParameterType)))}]" : "";

    private static bool IsCopyConstructor(ConstructorInfo constructor)
        => constructor.GetParameters() is [var only] && only.ParameterType == constructor.DeclaringType;

    private static bool IsOfRecord(MethodInfo method)
        => method.Name is "<Clone>$" or "PrintMembers" or "Equals" or "GetHashCode" or "ToString" or "Deconstruct";

    private static string Generics(MethodInfo method)
        => method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(Name))}>" : "";

    private static string Parameters(MethodBase method)
        => string.Join(", ", method.GetParameters().Select(parameter
            => $"{Name(parameter.ParameterType)} {parameter.Name}{(parameter.HasDefaultValue ? " = " + (parameter.DefaultValue ?? "default") : "")}"));

    private static string Name(Type type)
    {
        if (type.IsByRef || type.IsArray)
        {
            return Name(type.GetElementType()!) + (type.IsArray ? "[]" : "&");
        }

        var name = type.Name.Split('`')[0];
        return type.IsGenericType ? $"{name}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>" : name;
    }
}
