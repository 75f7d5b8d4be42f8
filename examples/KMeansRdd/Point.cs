/// <summary>A point of the plane.</summary>
internal readonly record struct Point(double X, double Y)
{
    public static Point operator +(Point a, Point b) => new(a.X + b.X, a.Y + b.Y);

    public static Point operator *(Point a, double factor) => new(a.X * factor, a.Y * factor);

    public static Point operator /(Point a, double divisor) => new(a.X / divisor, a.Y / divisor);

    public double DistanceTo(Point other) => double.Hypot(X - other.X, Y - other.Y);

    /// <summary>The index of the nearest of some centres.</summary>
    public int NearestOf(Point[] centres)
    {
        var nearest = 0;
        for (var i = 1; i < centres.Length; i++)
        {
            if (DistanceTo(centres[i]) < DistanceTo(centres[nearest])) nearest = i;
        }
        return nearest;
    }

    /// <summary>A point of the unit circle.</summary>
    /// <param name="halfTurns">How far round: 2 is once.</param>
    public static Point OnCircle(double halfTurns) => new(double.CosPi(halfTurns), double.SinPi(halfTurns));

    /// <summary>A point of the normal distribution around the origin, standard deviation 1 (Box and Muller, 1958).</summary>
    public static Point Normal(Random random) =>
        OnCircle(2 * random.NextDouble()) * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()));

    public override string ToString() => $"({X,7:F3}, {Y,7:F3})";
}
