using System.Text.Encodings.Web;
using System.Text.Json;

namespace Dataflow.MLlib.Features;

/// <summary>Labels of columns in a saved model: <c>labels.json</c>, a list of texts for each column, beside the metadata since there may be a million.</summary>
internal static class LabelFile
{
    private const string Name = "labels.json";

    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Write(ModelFolder folder, IEnumerable<IEnumerable<string>> labels) => folder.WriteText(Name, JsonSerializer.Serialize(labels.Select(each => each.ToArray()).ToArray(), Readable));

    public static string[][] Read(ModelFolder folder)
    {
        try
        {
            return JsonSerializer.Deserialize<string[][]>(folder.ReadText(Name)) ?? throw new JsonException("It holds null.");
        }
        catch (JsonException e)
        {
            throw new ModelFormatException($"The labels in '{Path.Combine(folder.Path, Name)}' can't be read: {e.Message}", e);
        }
    }
}
