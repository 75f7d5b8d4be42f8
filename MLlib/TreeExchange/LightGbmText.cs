using System.Text;
using Dataflow.MLlib.TreeModels;

namespace Dataflow.MLlib.TreeExchange;

/// <summary>Reads and writes LightGBM's text format (<c>save_model</c>, version 4; version 3 is read too).</summary>
/// <remarks>
/// Everything that decides predictions, leaf indices and SHAP values goes both ways without loss. A file that LightGBM wrote is written again byte for byte,
/// parameters and <c>pandas_categorical</c> included. Linear trees are refused.
/// </remarks>
public static class LightGbmText
{
    /// <summary>Reads a file.</summary>
    /// <remarks>The whole file is held in memory while it is read.</remarks>
    /// <exception cref="ModelFormatException">It is not such a model, or is malformed or cut off; the message names the line.</exception>
    public static TreeEnsemble Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Parse(File.ReadAllText(path), path);
    }

    /// <summary>Reads a text; <paramref name="source"/> is what errors call it.</summary>
    /// <exception cref="ModelFormatException">It is not such a model, or is malformed or cut off; the message names the line.</exception>
    public static TreeEnsemble Parse(string text, string source = "LightGBM model")
    {
        ArgumentNullException.ThrowIfNull(text);
        return new LightGbmReader(text, source).Read();
    }

    /// <summary>Writes a file that LightGBM reads; an older file of that name is replaced when the new one is complete.</summary>
    public static void Write(TreeEnsemble ensemble, string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var partial = path + ".partial";
        File.WriteAllText(partial, Format(ensemble), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        File.Move(partial, path, overwrite: true);
    }

    /// <summary>The text that LightGBM would write for the model.</summary>
    public static string Format(TreeEnsemble ensemble)
    {
        ArgumentNullException.ThrowIfNull(ensemble);
        return LightGbmWriter.Format(ensemble);
    }
}
