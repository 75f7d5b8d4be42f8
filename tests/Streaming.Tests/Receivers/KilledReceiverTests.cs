using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Dataflow.TestKit;

namespace Dataflow.Streaming.Tests.Receivers;

/// <summary>Processes that are killed while they receive.</summary>
public sealed class KilledReceiverTests
{
    [Fact]
    public async Task What_was_answered_exists_once_and_what_was_sent_again_at_most_twice_wherever_the_process_was_killed()
    {
        using var folder = new TempDirectory();
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(30) };
        var (sent, sentAgain) = (0, new HashSet<int>());
        foreach (var step in new[] { "found", "planned", "logged" })
        {
            using var process = PushProcess.Start(folder.Path, step, batches: 2);
            try
            {
                var error = process.StandardError.ReadToEndAsync();
                var url = await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(1)) ?? throw new InvalidOperationException(await error);
                while (!process.HasExited)
                {
                    if (await PostAsync(client, url, sent)) sent++;
                    else sentAgain.Add(sent);
                    if (sentAgain.Contains(sent)) await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));
                }
                Assert.True(process.ExitCode is not 0 and not 1 and not 134, await error);
            }
            finally
            {
                Kill(process);
            }
        }
        using (var last = PushProcess.Start(folder.Path, "end", 0))
        {
            try
            {
                var (output, error) = (last.StandardOutput.ReadToEndAsync(), last.StandardError.ReadToEndAsync());
                await last.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));
                Assert.True(last.ExitCode == 0, await output + await error);
            }
            finally
            {
                Kill(last);
            }
        }
        var found = Directory.EnumerateFiles(folder.Combine("out"), "*.json", SearchOption.AllDirectories).SelectMany(File.ReadLines)
            .Select(line => int.Parse(JsonDocument.Parse(line).RootElement.GetProperty("body").GetString()!, System.Globalization.CultureInfo.InvariantCulture)).ToLookup(number => number);
        Assert.True(sent > 4, $"{sent} were sent.");
        for (var number = 0; number < sent; number++)
        {
            if (sentAgain.Contains(number)) Assert.InRange(found[number].Count(), 1, 2);
            else Assert.Equal((number, 1), (number, found[number].Count()));
        }
    }

    // False if no answer came: a sender sends again.
    private static async Task<bool> PostAsync(HttpClient client, string url, int number)
    {
        try
        {
            using var content = new StringContent($$"""[{"body": "{{number}}"}]""");
            using var answer = await client.PostAsync(url, content);
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (Exception error) when (error is HttpRequestException or IOException)
        {
            return false;
        }
    }

    private static void Kill(Process process)
    {
        if (!process.HasExited) process.Kill();
        process.WaitForExit();
    }
}
