using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Dataflow.Streaming.Receivers;

/// <summary>The HTTP endpoint of pushed events.</summary>
internal sealed class EventPushReceiver(EventPushOptions options, Action release) : Receiver
{
    private WebApplication? _app;

    /// <summary>Listens.</summary>
    /// <returns>Where.</returns>
    public async Task<Uri> ListenAsync(ReceivedLog log)
    {
        // Empty: settings files and variables of the user's folder must not change how it listens.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = options.MaxRequestBytes;
            kestrel.Listen(options.Address, options.Port, endpoint => endpoint.Protocols = HttpProtocols.Http1);
        });
        _app = builder.Build();
        _app.Run(request => AnswerAsync(request, log));
        try
        {
            await _app.StartAsync().ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or System.Net.Sockets.SocketException or AddressInUseException)
        {
            throw new StreamingException("STREAM_ADDRESS_IN_USE", $"Listening for events on {options.Address}:{options.Port} failed: {error.Message} Choose another port, or 0 for a free one.", error);
        }
        return new Uri(_app.Urls.First());
    }

    public override async Task RunAsync(ReceivedLog log, CancellationToken stop) => await Task.Delay(Timeout.Infinite, stop).ConfigureAwait(false);

    public override void Release()
    {
        if (_app is { } app)
        {
            // Requests that are under way may be answered still.
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            Task.Run(async () =>
            {
                await app.StopAsync(patience.Token).ConfigureAwait(false);
                await app.DisposeAsync().ConfigureAwait(false);
            }).GetAwaiter().GetResult();
        }
        release();
    }

    private async Task AnswerAsync(HttpContext request, ReceivedLog log)
    {
        if (!options.Admits(request.Request.Headers.Authorization))
        {
            request.Response.Headers.WWWAuthenticate = "Bearer";
            await SayAsync(request, StatusCodes.Status401Unauthorized, "The request has no token, or another one.").ConfigureAwait(false);
            return;
        }
        if (!HttpMethods.IsPost(request.Request.Method))
        {
            request.Response.Headers.Allow = "POST";
            await SayAsync(request, StatusCodes.Status405MethodNotAllowed, "Events are posted.").ConfigureAwait(false);
            return;
        }
        try
        {
            var events = await ReadAsync(request).ConfigureAwait(false);
            if (log.TryAppend(events) is not { } kept)
            {
                request.Response.Headers.RetryAfter = "1";
                await SayAsync(request, StatusCodes.Status503ServiceUnavailable, "Too many events wait to be read. Send these again later.").ConfigureAwait(false);
                return;
            }
            await kept.ConfigureAwait(false);
            request.Response.StatusCode = StatusCodes.Status200OK;
        }
        catch (Microsoft.AspNetCore.Http.BadHttpRequestException error)
        {
            await SayAsync(request, error.StatusCode, error.Message).ConfigureAwait(false);
        }
        catch (JsonException error)
        {
            await SayAsync(request, StatusCodes.Status400BadRequest, $"The request is no list of events, [{{\"headers\": {{...}}, \"body\": \"...\"}}, ...]: {error.Message}").ConfigureAwait(false);
        }
        catch (StreamingException error) when (error.Kind == "STREAM_RECORD_TOO_LONG")
        {
            await SayAsync(request, StatusCodes.Status413PayloadTooLarge, error.Message).ConfigureAwait(false);
        }
        catch (Exception error) when (error is StreamingException or ObjectDisposedException)
        {
            // The query ends, with this error if it is one: others may take them later.
            await SayAsync(request, StatusCodes.Status503ServiceUnavailable, error.Message).ConfigureAwait(false);
        }
    }

    private static async Task<List<ReadOnlyMemory<byte>>> ReadAsync(HttpContext request)
    {
        using var document = await JsonDocument.ParseAsync(request.Request.Body, cancellationToken: request.RequestAborted).ConfigureAwait(false);
        if (document.RootElement.ValueKind != JsonValueKind.Array) throw new JsonException($"it is of kind {document.RootElement.ValueKind}.");
        var events = new List<ReadOnlyMemory<byte>>(document.RootElement.GetArrayLength());
        foreach (var each in document.RootElement.EnumerateArray())
        {
            if (each.ValueKind != JsonValueKind.Object) throw new JsonException($"event {events.Count} is of kind {each.ValueKind}.");
            var headers = each.TryGetProperty("headers", out var given) ? given : default;
            if (headers.ValueKind is not (JsonValueKind.Object or JsonValueKind.Undefined or JsonValueKind.Null)) throw new JsonException($"the headers of event {events.Count} are of kind {headers.ValueKind}.");
            var body = each.TryGetProperty("body", out var text) ? text : default;
            var bytes = body.ValueKind switch
            {
                JsonValueKind.String => System.Text.Encoding.UTF8.GetBytes(body.GetString()!),
                JsonValueKind.Undefined or JsonValueKind.Null => [],
                _ => throw new JsonException($"the body of event {events.Count} is of kind {body.ValueKind}, and should be a text."),
            };
            events.Add(ReceivedEvent.Write(headers.ValueKind == JsonValueKind.Object ? System.Text.Encoding.UTF8.GetBytes(headers.GetRawText()) : "{}"u8, bytes));
        }
        return events;
    }

    private static Task SayAsync(HttpContext request, int status, string text)
    {
        request.Response.StatusCode = status;
        request.Response.ContentType = "text/plain; charset=utf-8";
        return request.Response.WriteAsync(text + "\n");
    }

    // The default one swallows SIGTERM and Ctrl+C of the user's program.
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
