using Dataflow.Hashing;

namespace Dataflow.Engine.Tests.Hashing;

public enum Tiny : sbyte { Low = -3, Zero = 0, High = 9 }

public enum Colour { Red, Green, Blue }

public enum Vast : ulong { None, All = ulong.MaxValue }

public sealed record Visit(int User, string? Page, DateTime At);

public record Shape(string Name);

public record Circle(string Name, double Radius) : Shape(Name);

public sealed record Disc(string Name, double Radius) : Circle(Name, Radius);

public sealed record Chain(int Value, Chain? Next);

public sealed record Generic<T>(T Value, int Count);

public sealed record Hidden(int Shown)
{
    private int _hidden;

    public Hidden With(int hidden) => new(Shown) { _hidden = hidden };

    public int Sum => Shown + _hidden;
}

public readonly record struct Place(double Latitude, double Longitude, string? Name);

public record struct Nothing;

public struct Plain(int number, string? text, double weight)
{
    public int Number = number;
    public string? Text = text;
    public double Weight = weight;
}

public struct Outer(Plain inner, byte flag)
{
    public Plain Inner = inner;
    public byte Flag = flag;
}

/// <summary>Equal when the amounts are, whatever the case of the currency.</summary>
public sealed class Money(long cents, string currency) : IEquatable<Money>
{
    static Money() => StableHash.Register<Money>(money => (ulong)money.Cents);

    public long Cents { get; } = cents;

    public string Currency { get; } = currency;

    public bool Equals(Money? other) => other is not null && Cents == other.Cents && Currency.Equals(other.Currency, StringComparison.OrdinalIgnoreCase);

    public override bool Equals(object? other) => Equals(other as Money);

    public override int GetHashCode() => Cents.GetHashCode();
}

/// <summary>A struct with an equality of its own and no registered hash.</summary>
public readonly struct Approximate(double value) : IEquatable<Approximate>
{
    public double Value { get; } = value;

    public bool Equals(Approximate other) => Math.Abs(Value - other.Value) < 0.1;

    public override bool Equals(object? other) => other is Approximate approximate && Equals(approximate);

    public override int GetHashCode() => 0;
}

/// <summary>A record whose author wrote the equality.</summary>
public sealed record CaseLess(string Text)
{
    public bool Equals(CaseLess? other) => other is not null && Text.Equals(other.Text, StringComparison.OrdinalIgnoreCase);

    public override int GetHashCode() => 0;
}

/// <summary>A record whose author decides which derived records are equal.</summary>
public record Contracted(int Value)
{
    protected virtual Type EqualityContract => typeof(Contracted);
}

/// <summary>Derives from a record that can be a key, and can't be one itself.</summary>
public sealed record Square(string Name, int Side) : Shape(Name)
{
    public bool Equals(Square? other) => other is not null && other.Side == Side;

    public override int GetHashCode() => Side;
}

public sealed class NoEquals(int id)
{
    public int Id { get; } = id;
}

public sealed record WithList(int Id, List<int> Lines);
