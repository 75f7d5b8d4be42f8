using System.Globalization;
using System.Net;
using System.Net.Http.Headers;

namespace Dataflow.Streaming.Receivers;

/// <summary>Lines that a server sends as one long answer to a GET.</summary>
internal sealed class HttpLineSource(Uri url, HttpLineOptions options, Func<string, ReceivedFormat> format) : IStreamSource
{
    private readonly ReceivedFormat _format = format($"lines of {Shown(url)}");

    public string Name => $"lines of {Shown(url)}";

    public Schema Schema => _format.Schema;

    public IStreamReader Open(string folder) => new ReceiverReader(Name, folder, options.Receiver, _format, new HttpLineReceiver(url, Shown(url), options));

    // Queries of URLs hold secrets at times.
    private static string Shown(Uri url) => $"{url.Scheme}://{url.Authority}{url.AbsolutePath}";
}

/// <summary>Asks for the lines, again and again.</summary>
internal sealed class HttpLineReceiver(Uri url, string name, HttpLineOptions options) : ConnectingReceiver(name, options.Reconnect, options.Time)
{
    private readonly HttpClient _client = new(new SocketsHttpHandler { AutomaticDecompression = DecompressionMethods.All, ConnectTimeout = TimeSpan.FromSeconds(30), UseCookies = false })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    public override void Release() => _client.Dispose();

    protected override async Task ReceiveAsync(ReceivedLog log, CancellationToken stop)
    {
        try
        {
            using var answer = await AskAsync(stop).ConfigureAwait(false);
            var lines = await answer.Content.ReadAsStreamAsync(stop).ConfigureAwait(false);
            await using (lines.ConfigureAwait(false))
            {
                await ReadLinesAsync(lines, passesOverBlank: true, options.StallTimeout, log, options.Receiver, stop).ConfigureAwait(false);
            }
        }
        catch (Exception error) when (error is HttpRequestException or IOException or InvalidDataException)
        {
            throw new ConnectionFailedException($"broke the connection: {error.Message}", error);
        }
    }

    // The answer, of which the lines are still to come.
    private async Task<HttpResponseMessage> AskAsync(CancellationToken stop)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        if (options.Token is { } token) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        foreach (var (header, value) in options.Headers) request.Headers.Add(header, value);
        using var patience = new CancellationTokenSource(options.StallTimeout, options.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stop, patience.Token);
        HttpResponseMessage? answer = null;
        try
        {
            answer = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token).ConfigureAwait(false);
            await CheckAsync(answer, both.Token).ConfigureAwait(false);
            return answer;
        }
        catch (OperationCanceledException error) when (!stop.IsCancellationRequested)
        {
            answer?.Dispose();
            throw new ConnectionFailedException("did not answer in time.", error);
        }
        catch
        {
            answer?.Dispose();
            throw;
        }
    }

    private async Task CheckAsync(HttpResponseMessage answer, CancellationToken stop)
    {
        if (answer.IsSuccessStatusCode) return;
        var status = string.Create(CultureInfo.InvariantCulture, $"answered {(int)answer.StatusCode} {answer.ReasonPhrase}");
        if (answer.StatusCode is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests || (int)answer.StatusCode >= 500)
        {
            var retry = answer.Headers.RetryAfter;
            var wait = retry?.Delta ?? retry?.Date - options.Time.GetUtcNow();
            throw new ConnectionFailedException(status + ".", wait: wait > TimeSpan.Zero ? wait : null);
        }
        var text = await answer.Content.ReadAsStringAsync(stop).ConfigureAwait(false);
        var said = text.Length == 0 ? "" : $": {text[..Math.Min(text.Length, 300)].Trim()}";
        throw new StreamingException("STREAM_REFUSED", $"{Name} {status}{said}. Another attempt would be answered alike: see to the address, the token and the rights that go with it.");
    }
}
