using System.Net;
using System.Text.Json;

namespace OrdersApi.Tests;

/// <summary>What the API answered.</summary>
/// <param name="Status">Status code.</param>
/// <param name="MediaType">Content type without parameters.</param>
/// <param name="Body">The JSON; undefined if there is none.</param>
/// <param name="Text">The body as it came.</param>
/// <param name="Headers">Headers but those of the content.</param>
internal sealed record Answer(HttpStatusCode Status, string? MediaType, JsonElement Body, string Text, System.Net.Http.Headers.HttpResponseHeaders Headers)
{
    public JsonElement this[string member] => Body.GetProperty(member);

    public static async Task<Answer> ReadAsync(HttpResponseMessage response)
    {
        using (response)
        {
            var text = await response.Content.ReadAsStringAsync();
            var body = text.Length == 0 ? default : JsonElement.Parse(text);
            return new Answer(response.StatusCode, response.Content.Headers.ContentType?.MediaType, body, text, response.Headers);
        }
    }

    /// <summary>The body, which must be the answer to a success.</summary>
    public JsonElement Is(HttpStatusCode expected)
    {
        Assert.True(Status == expected, $"{(int)Status} instead of {(int)expected}: {Text}");
        Assert.Equal("application/json", MediaType);
        return Body;
    }

    /// <summary>The body, which must be a complete problem document.</summary>
    public JsonElement IsProblem(HttpStatusCode expected, string path)
    {
        Assert.True(Status == expected, $"{(int)Status} instead of {(int)expected}: {Text}");
        Assert.Equal("application/problem+json", MediaType);
        Assert.Equal((int)expected, this["status"].GetInt32());
        Assert.NotEmpty(this["type"].GetString()!);
        Assert.NotEmpty(this["title"].GetString()!);
        Assert.NotEmpty(this["traceId"].GetString()!);
        Assert.Equal(path, this["instance"].GetString());
        return Body;
    }
}
