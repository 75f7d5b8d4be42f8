using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Dataflow.Streaming.Mqtt;
using Dataflow.TestKit;

namespace Dataflow.Streaming.Tests.Mqtt;

/// <summary>Connections that are refused, silent, cut or wrong, with a broker that says what a test wants, and with mosquitto where it says no.</summary>
public sealed class MqttConnectionTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Theory]
    [InlineData(MqttVersion.V311, 4, "MQTT_PASSWORD")]
    [InlineData(MqttVersion.V311, 5, "MQTT_NOT_AUTHORIZED")]
    [InlineData(MqttVersion.V311, 1, "MQTT_VERSION")]
    [InlineData(MqttVersion.V5, 0x87, "MQTT_NOT_AUTHORIZED")]
    [InlineData(MqttVersion.V5, 0x84, "MQTT_VERSION")]
    [InlineData(MqttVersion.V5, 0x8A, "MQTT_BANNED")]
    public async Task A_refused_connection_is_an_error_that_says_why(MqttVersion version, byte code, string kind)
    {
        using var broker = new ScriptedBroker(async (_, stream, stop) =>
        {
            await ScriptedBroker.ReadAsync(stream, stop);
            await stream.WriteAsync(version == MqttVersion.V5 ? [0x20, 9, 0, code, 6, 0x1F, 0, 3, (byte)'w', (byte)'h', (byte)'y'] : new byte[] { 0x20, 2, 0, code }, stop);
        });
        var error = await Assert.ThrowsAsync<StreamingException>(() => OpenAsync(broker.Options with { Version = version }));
        Assert.Equal(kind, error.Kind);
        Assert.Equal(version == MqttVersion.V5, error.Message.Contains("(\"why\")", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_broker_that_is_busy_is_tried_again()
    {
        var tries = 0;
        using var broker = new ScriptedBroker(async (number, stream, stop) =>
        {
            tries++;
            await ScriptedBroker.ReadAsync(stream, stop);
            await stream.WriteAsync(new byte[] { 0x20, 3, 0, (byte)(number < 3 ? 0x89 : 0), 0 }, stop);
            if (number < 3) return;
            await ScriptedBroker.ReadAsync(stream, stop);
            await stream.WriteAsync(new byte[] { 0x40, 2, 0, 1 }, stop);
            await ScriptedBroker.ReadAsync(stream, stop);
        });
        await MqttPublisher.SendAsync(broker.Options, [new Publish("t", [1], 1, false, false, 0)], default).WaitAsync(Patience);
        Assert.Equal(4, tries);
    }

    [Fact]
    public async Task Messages_under_way_when_a_connection_is_lost_are_sent_again_and_no_others()
    {
        var seen = new List<string>();
        using var broker = new ScriptedBroker(async (number, stream, stop) =>
        {
            await ScriptedBroker.AcceptAsync(stream, stop);
            for (var i = 0; ; i++)
            {
                var (first, body) = await ScriptedBroker.ReadAsync(stream, stop);
                if (first == 0xE0) return;
                seen.Add(Encoding.UTF8.GetString(body.AsSpan(6)));
                if (number == 0 && i == 3) return;
                if (number == 1 || i == 1) await stream.WriteAsync(new byte[] { 0x40, 2, body[3], body[4] }, stop);
            }
        });
        Publish[] messages = [.. Enumerable.Range(0, 8).Select(i => new Publish("t", Encoding.UTF8.GetBytes($"{i}"), 1, false, false, 0))];
        await MqttPublisher.SendAsync(broker.Options with { InFlight = 4 }, messages, default).WaitAsync(Patience);
        Assert.Equal(["0", "1", "2", "3"], seen.Take(4));

        // The acknowledgement of the second may have been lost with the connection.
        Assert.Equal(messages.Select((_, i) => $"{i}").Where(i => i != "1"), seen.Skip(4).Where(i => i != "1"));
    }

    [Theory]
    [InlineData(0x87, "MQTT_NOT_AUTHORIZED")]
    [InlineData(0x99, "MQTT_PAYLOAD_FORMAT")]
    public async Task A_message_that_the_broker_rejects_is_an_error_that_names_its_topic(byte code, string kind)
    {
        using var broker = new ScriptedBroker(async (_, stream, stop) =>
        {
            await ScriptedBroker.AcceptAsync(stream, stop);
            var (_, body) = await ScriptedBroker.ReadAsync(stream, stop);
            await stream.WriteAsync(new byte[] { 0x40, 3, body[5], body[6], code }, stop);
            await ScriptedBroker.ReadAsync(stream, stop);
        });
        var error = await Assert.ThrowsAsync<StreamingException>(() => MqttPublisher.SendAsync(broker.Options, [new Publish("a/b", [1], 1, false, false, 0)], default).WaitAsync(Patience));
        Assert.Equal(kind, error.Kind);
        Assert.Contains("'a/b'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_broker_can_not_do_is_said_before_anything_is_sent()
    {
        // Quality 0 at most, keeps nothing, packets of 64 bytes.
        using var broker = new ScriptedBroker(async (_, stream, stop) =>
        {
            await ScriptedBroker.ReadAsync(stream, stop);
            await stream.WriteAsync(new byte[] { 0x20, 12, 0, 0, 9, 0x24, 0, 0x25, 0, 0x27, 0, 0, 0, 64 }, stop);
            await ScriptedBroker.ReadAsync(stream, stop);
        });
        Assert.Equal("MQTT_QUALITY", await KindAsync(new Publish("t", [], 1, false, false, 0)));
        Assert.Equal("MQTT_RETAIN", await KindAsync(new Publish("t", [], 0, true, false, 0)));
        Assert.Equal("MQTT_PACKET_TOO_LARGE", await KindAsync(new Publish("t", new byte[64], 0, false, false, 0)));

        async Task<string> KindAsync(Publish message) =>
            (await Assert.ThrowsAsync<StreamingException>(() => MqttPublisher.SendAsync(broker.Options, [message], default).WaitAsync(Patience))).Kind;
    }

    [Fact]
    public async Task A_connection_that_says_nothing_is_asked_and_then_lost()
    {
        var clock = new ManualTimeProvider();
        var asked = new TaskCompletionSource();
        using var broker = new ScriptedBroker(async (_, stream, stop) =>
        {
            await ScriptedBroker.AcceptAsync(stream, stop);
            Assert.Equal(0xC0, (await ScriptedBroker.ReadAsync(stream, stop)).First);
            asked.SetResult();
            await Task.Delay(Timeout.Infinite, stop);
        });
        await using var connection = await OpenAsync(broker.Options with { Time = clock, KeepAlive = TimeSpan.FromSeconds(20) });
        Assert.True(SpinWait.SpinUntil(() => clock.WaitingTimers > 0, Patience));
        while (!asked.Task.IsCompleted && !connection.Completion.IsCompleted)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }
        while (!connection.Completion.IsCompleted)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }
        Assert.Contains("also not when asked", (await Assert.ThrowsAsync<MqttConnectionException>(() => connection.Completion)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broker_that_never_answers_is_given_up_after_the_timeout()
    {
        var clock = new ManualTimeProvider();
        var asked = new TaskCompletionSource();
        using var broker = new ScriptedBroker(async (_, stream, stop) =>
        {
            await ScriptedBroker.ReadAsync(stream, stop);
            asked.SetResult();
            await Task.Delay(Timeout.Infinite, stop);
        });
        var opening = OpenAsync(broker.Options with { Time = clock, Timeout = TimeSpan.FromSeconds(3) });
        await asked.Task.WaitAsync(Patience);
        clock.Advance(TimeSpan.FromSeconds(4));
        Assert.Contains("within 3 s", (await Assert.ThrowsAsync<MqttConnectionException>(() => opening.WaitAsync(Patience))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Waits_between_attempts_double_differ_by_chance_and_end_with_an_error()
    {
        var clock = new ManualTimeProvider();
        var options = new MqttOptions("mqtt://gone")
        {
            Time = clock, Chance = new Random(3), ReconnectDelay = TimeSpan.FromSeconds(1), LongestReconnectDelay = TimeSpan.FromSeconds(8), Patience = TimeSpan.FromSeconds(60),
        };
        var waits = new MqttBackoff(options);
        double[] longest = [1, 2, 4, 8, 8];
        var taken = longest.Select(_ => waits.Next().TotalSeconds).ToArray();
        for (var i = 0; i < longest.Length; i++) Assert.InRange(taken[i], longest[i] / 2, longest[i]);
        Assert.NotEqual(taken[3], taken[4]);
        waits.Succeeded();
        Assert.InRange(waits.Next().TotalSeconds, 0.5, 1);

        var why = new MqttConnectionException("no route");
        var first = waits.WaitAsync(why, default);
        clock.Advance(TimeSpan.FromSeconds(61));
        await first;
        var error = await Assert.ThrowsAsync<StreamingException>(() => waits.WaitAsync(why, default));
        Assert.Equal("MQTT_UNREACHABLE", error.Kind);
        Assert.Contains("no route", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("30-04-00-05-61-62", "MQTT_MALFORMED_PACKET")]
    [InlineData("E0-02-8E-00", "MQTT_SESSION_TAKEN_OVER")]
    [InlineData("40-02-00-07", "MQTT_PROTOCOL")]
    public async Task A_query_ends_with_the_name_of_what_the_broker_did_wrong(string bytes, string kind)
    {
        using var broker = new ScriptedBroker(async (_, stream, stop) =>
        {
            await ScriptedBroker.AcceptAsync(stream, stop);
            await ScriptedBroker.ReadAsync(stream, stop);
            await stream.WriteAsync(new byte[] { 0x90, 4, 0, 1, 0, 1 }, stop);
            await stream.WriteAsync(Convert.FromHexString(bytes.Replace("-", "", StringComparison.Ordinal)), stop);
            await ScriptedBroker.ReadAsync(stream, stop);
        });
        await using var context = DataflowContext.Local(1);
        await using var query = context.ReadStream.Mqtt(broker.Options, "t").WriteStream.Start(new MemorySink());
        Assert.Equal(kind, (await Assert.ThrowsAsync<StreamingException>(() => query.AwaitTerminationAsync().WaitAsync(Patience))).Kind);
    }

    [Theory]
    [InlineData(0x8F, "MQTT_TOPIC_FILTER")]
    [InlineData(0, "MQTT_QUALITY")]
    public async Task A_subscription_that_is_rejected_ends_the_query(byte code, string kind)
    {
        using var broker = new ScriptedBroker(async (_, stream, stop) =>
        {
            await ScriptedBroker.AcceptAsync(stream, stop);
            await ScriptedBroker.ReadAsync(stream, stop);
            await stream.WriteAsync(new byte[] { 0x90, 4, 0, 1, 0, code }, stop);
            await ScriptedBroker.ReadAsync(stream, stop);
        });
        await using var context = DataflowContext.Local(1);
        await using var query = context.ReadStream.Mqtt(broker.Options, "t/#").WriteStream.Start(new MemorySink());
        var error = await Assert.ThrowsAsync<StreamingException>(() => query.AwaitTerminationAsync().WaitAsync(Patience));
        Assert.Equal(kind, error.Kind);
        Assert.Contains("'t/#'", error.Message, StringComparison.Ordinal);
    }

    [FactRequiringTool("mosquitto", "mosquitto mosquitto-clients")]
    public async Task User_and_password_are_sent_and_a_wrong_one_is_named()
    {
        using var broker = new MosquittoBroker("password_file FOLDER/users", ("users", ""));
        CommandLineTool.Run("mosquitto_passwd", $"-b {broker.Folder}/users ada secret", []);
        broker.Kill();
        broker.Restart();
        foreach (var version in new[] { MqttVersion.V311, MqttVersion.V5 })
        {
            var options = broker.Options with { Version = version, UserName = "ada" };
            var error = await Assert.ThrowsAsync<StreamingException>(() => OpenAsync(options with { Password = "wrong" }));
            Assert.Contains(error.Kind, new[] { "MQTT_PASSWORD", "MQTT_NOT_AUTHORIZED" });
            await using var right = await OpenAsync(options with { Password = "secret" });
            Assert.False(right.Completion.IsCompleted);
        }
    }

    [FactRequiringTool("mosquitto", "mosquitto mosquitto-clients")]
    public async Task Tls_checks_the_certificate_of_the_broker()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        using var broker = new MosquittoBroker(
            "allow_anonymous true\ncertfile FOLDER/cert.pem\nkeyfile FOLDER/key.pem", ("cert.pem", certificate.ExportCertificatePem()), ("key.pem", key.ExportPkcs8PrivateKeyPem()));
        var options = new MqttOptions($"mqtts://127.0.0.1:{broker.Port}");
        Assert.Equal("MQTT_CERTIFICATE", (await Assert.ThrowsAsync<StreamingException>(() => OpenAsync(options))).Kind);
        var trusting = options with { Tls = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, it, _, _) => it!.GetCertHashString() == certificate.GetCertHashString() } };
        await MqttPublisher.SendAsync(trusting, [.. Enumerable.Range(0, 500).Select(i => new Publish("t", BitConverter.GetBytes(i), 1, true, false, 0))], default).WaitAsync(Patience);
    }

    private static Task<MqttConnection> OpenAsync(MqttOptions options) => MqttConnection.OpenAsync(options, "test", isClean: true, new Nobody(), default);

    private sealed class Nobody : IMqttReceiver
    {
        public ValueTask OnMessageAsync(MqttConnection connection, Publish message) => ValueTask.CompletedTask;

        public void OnStep(Acknowledgement answer) { }
    }
}
