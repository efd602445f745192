using System.Net.Http.Headers;
using System.Net.ServerSentEvents;

namespace OrdersApi.Tests;

/// <summary>Reads server-sent events one by one, as a browser does.</summary>
internal sealed class EventStream : IAsyncDisposable
{
    private readonly HttpResponseMessage _response;
    private readonly IAsyncEnumerator<SseItem<string>> _events;

    private EventStream(HttpResponseMessage response, Stream body)
        => (_response, _events) = (response, SseParser.Create(body).EnumerateAsync().GetAsyncEnumerator());

    /// <summary>Reads the gap, too, that every stream begins with.</summary>
    public static async Task<EventStream> OpenAsync(HttpClient client, string path = "/notifications")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        var stream = new EventStream(response, await response.Content.ReadAsStreamAsync());
        Assert.Equal(("gap", "{}"), await stream.NextAsync());
        return stream;
    }

    public async Task<(string Type, string Data)?> NextAsync()
        => await _events.MoveNextAsync() ? (_events.Current.EventType, _events.Current.Data) : null;

    public async ValueTask DisposeAsync()
    {
        _response.Dispose();
        await _events.DisposeAsync();
    }
}
