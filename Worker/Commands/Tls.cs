using System.CommandLine;

namespace Dataflow.Worker.Commands;

/// <summary>The options of TLS, which every command takes.</summary>
internal sealed class Tls
{
    private readonly Option<FileInfo?> _certificate = new("--tls-certificate")
    {
        Description = "TLS: PEM file with the certificate of this machine and its key, for all that others dial: coordinator, worker, program (else the variable DATAFLOW_TLS_CERTIFICATE; none).",
        Recursive = true,
    };

    private readonly Option<FileInfo?> _authority = new("--tls-authority")
    {
        Description = "TLS: PEM file with the certificates to trust; alone it is enough to ask: status, kill (else the variable DATAFLOW_TLS_AUTHORITY; those of the system).",
        Recursive = true,
    };

    private readonly Option<bool> _mutual = new("--tls-mutual")
    {
        Description = "TLS: who dials must show a certificate too, so all have one (else the variable DATAFLOW_TLS_MUTUAL).",
        Recursive = true,
    };

    public void AddTo(RootCommand root)
    {
        root.Options.Add(_certificate);
        root.Options.Add(_authority);
        root.Options.Add(_mutual);
    }

    /// <summary>Sets the variables, which this process and those that it starts follow.</summary>
    public void Apply(ParseResult parsed)
    {
        if (parsed.GetValue(_certificate) is { } certificate) Environment.SetEnvironmentVariable("DATAFLOW_TLS_CERTIFICATE", certificate.FullName);
        if (parsed.GetValue(_authority) is { } authority) Environment.SetEnvironmentVariable("DATAFLOW_TLS_AUTHORITY", authority.FullName);
        if (parsed.GetValue(_mutual)) Environment.SetEnvironmentVariable("DATAFLOW_TLS_MUTUAL", "true");
    }
}
