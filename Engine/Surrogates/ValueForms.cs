using System.Globalization;
using System.Net;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using Dataflow.Closures;
using Dataflow.Errors;
using Dataflow.Serialization;

namespace Dataflow.Surrogates;

/// <summary>Single objects of .NET's that are known by what they were made from.</summary>
internal static class ValueForms
{
    private static readonly (Type Type, Form Form)[] Known =
    [
        (typeof(Type), new TypeForm()),
        (typeof(MethodBase), new MethodForm()),
        (typeof(FieldInfo), new FieldForm()),
        (typeof(PropertyInfo), new PropertyForm()),
        (typeof(Assembly), new AssemblyForm()),
        (typeof(Regex), new RegexForm()),
        (typeof(Encoding), new EncodingForm()),
        (typeof(StringBuilder), new TextForm<StringBuilder>(static text => text.ToString(), static text => new StringBuilder(text))),
        (typeof(Version), new TextForm<Version>(static version => version.ToString(), Version.Parse)),
        (typeof(Uri), new TextForm<Uri>(static uri => uri.OriginalString, static text => new Uri(text, UriKind.RelativeOrAbsolute))),
        (typeof(CultureInfo), new TextForm<CultureInfo>(static culture => culture.Name, CultureInfo.GetCultureInfo)),
        (typeof(CompareInfo), new TextForm<CompareInfo>(static compare => compare.Name, CompareInfo.GetCompareInfo)),
        (typeof(TimeZoneInfo), new TextForm<TimeZoneInfo>(static zone => zone.ToSerializedString(), TimeZoneInfo.FromSerializedString)),
        (typeof(IPAddress), new TextForm<IPAddress>(static address => address.ToString(), IPAddress.Parse)),
        (typeof(DBNull), new TextForm<DBNull>(static _ => "", static _ => DBNull.Value)),
        // Nobody waits on it where it arrives, so a new one is as good.
        (typeof(Lock), new TextForm<Lock>(static _ => "", static _ => new Lock())),
        (typeof(CancellationToken), new TokenForm()),
    ];

    /// <summary>The form of such a type; null for any other.</summary>
    public static Form? Find(Type type)
    {
        foreach (var (known, form) in Known)
        {
            if (known == type || (known.IsAssignableFrom(type) && (known == typeof(Regex) || RuntimeCode.Brings(type.Assembly)))) return form;
        }
        return null;
    }

    private sealed class TypeForm : Form<Type>
    {
        public override Type NamedAs(Type type) => typeof(Type);

        protected override void WriteValue(GraphWriter writer, Type value) => writer.WriteType(value);

        protected override Type ReadValue(GraphReader graph, ref BlockReader reader, int slot) => graph.ReadType(ref reader);
    }

    private sealed class MethodForm : Form<MethodBase>
    {
        public override Type NamedAs(Type type) => typeof(MethodBase);

        protected override void WriteValue(GraphWriter writer, MethodBase value) => writer.WriteMethod(value);

        protected override MethodBase ReadValue(GraphReader graph, ref BlockReader reader, int slot) => graph.ReadMethod(ref reader);
    }

    private abstract class MemberForm<T> : Form<T>
        where T : MemberInfo
    {
        protected const BindingFlags Any =
            BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

        public override Type NamedAs(Type type) => typeof(T);

        protected override void WriteValue(GraphWriter writer, T value)
        {
            writer.WriteType(value.DeclaringType!);
            writer.Output.WriteString(value.Name);
        }
    }

    private sealed class FieldForm : MemberForm<FieldInfo>
    {
        protected override FieldInfo ReadValue(GraphReader graph, ref BlockReader reader, int slot) =>
            graph.ReadType(ref reader).GetField(reader.ReadString()!, Any)!;
    }

    private sealed class PropertyForm : MemberForm<PropertyInfo>
    {
        protected override PropertyInfo ReadValue(GraphReader graph, ref BlockReader reader, int slot) =>
            graph.ReadType(ref reader).GetProperty(reader.ReadString()!, Any)!;
    }

    private sealed class AssemblyForm : Form<Assembly>
    {
        public override Type NamedAs(Type type) => typeof(Assembly);

        protected override void WriteValue(GraphWriter writer, Assembly value) => writer.WriteAssembly(value);

        protected override Assembly ReadValue(GraphReader graph, ref BlockReader reader, int slot) => graph.ReadAssembly(ref reader);
    }

    // One made by the source generator is of a class of the user's assembly; an ordinary one of its pattern matches the same.
    private sealed class RegexForm : Form<Regex>
    {
        public override Type NamedAs(Type type) => typeof(Regex);

        protected override void WriteValue(GraphWriter writer, Regex value)
        {
            writer.Output.WriteString(value.ToString());
            writer.Output.WriteUnmanaged((int)value.Options);
            writer.Output.WriteUnmanaged(value.MatchTimeout.Ticks);
        }

        protected override Regex ReadValue(GraphReader graph, ref BlockReader reader, int slot) =>
            new(reader.ReadString()!, (RegexOptions)reader.ReadUnmanaged<int>(), new TimeSpan(reader.ReadUnmanaged<long>()));
    }

    private sealed class EncodingForm : Form<Encoding>
    {
        private const int Utf8 = 65001;

        public override Type NamedAs(Type type) => typeof(Encoding);

        protected override void WriteValue(GraphWriter writer, Encoding value)
        {
            writer.Output.WriteUnmanaged(value.CodePage);
            writer.Output.WriteByte(value.Preamble.Length > 0 ? (byte)1 : (byte)0);
            writer.Output.WriteByte(value.DecoderFallback is DecoderExceptionFallback ? (byte)1 : (byte)0);
        }

        protected override Encoding ReadValue(GraphReader graph, ref BlockReader reader, int slot)
        {
            var page = reader.ReadUnmanaged<int>();
            var marked = reader.ReadByte() == 1;
            var strict = reader.ReadByte() == 1;
            if (page == Utf8) return new UTF8Encoding(marked, strict);
            return strict ? Encoding.GetEncoding(page, EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback) : Encoding.GetEncoding(page);
        }
    }

    private sealed class TokenForm : Form<CancellationToken>
    {
        protected override void WriteValue(GraphWriter writer, CancellationToken value)
        {
            if (value.CanBeCanceled)
            {
                throw writer.Refuse(
                    typeof(CancellationToken), "it can be cancelled in this process only", "Use TaskContext.Current.CancellationToken, and cancel the job");
            }
        }

        protected override CancellationToken ReadValue(GraphReader graph, ref BlockReader reader, int slot) => default;
    }
}
