namespace Dataflow.Examples.CensusIncome;

/// <summary>Made-up people of a census: who earns more than 50,000 follows from what they do, learned and work, with much left to chance. Answers are missing here and there.</summary>
internal static class Census
{
    private static readonly (string Name, double Weight, double Effect)[] WorkClasses =
        [("Private", 70, 0), ("Self-employed", 11, 0.3), ("Local government", 8, 0.1), ("State government", 5, 0.1), ("Federal government", 4, 0.6), ("Unpaid", 2, -3)];

    private static readonly (string Name, double Weight, double Effect)[] Educations =
        [("School", 15, -1.4), ("High school", 33, -0.5), ("Some college", 24, 0), ("Bachelor", 18, 0.9), ("Master", 7, 1.4), ("Doctorate", 3, 2.1)];

    private static readonly (string Name, double Weight, double Effect)[] Occupations =
    [
        ("Administration", 12, -0.1), ("Craft", 13, 0.1), ("Executive", 13, 0.9), ("Farming", 4, -0.9), ("Cleaning", 4, -0.9), ("Machines", 6, -0.3), ("Services", 11, -0.9),
        ("Profession", 13, 0.6), ("Protection", 3, 0.5), ("Sales", 12, 0.3), ("Technology", 4, 0.7), ("Transport", 5, -0.1),
    ];

    private static readonly (string Name, double Weight, double Effect)[] States = [("Married", 47, 1.3), ("Never married", 32, -1.2), ("Divorced", 15, -0.5), ("Widowed", 6, -0.4)];

    /// <summary>Writes people as CSV.</summary>
    /// <param name="path">The file.</param>
    /// <param name="count">How many.</param>
    /// <param name="seed">Other seeds make other people.</param>
    public static void Write(string path, int count, int seed)
    {
        var random = new Random(seed);
        using var file = new StreamWriter(path);
        file.WriteLine("age,workclass,education,occupation,marital_status,hours_per_week,capital_gain,income");
        for (var i = 0; i < count; i++)
        {
            var age = (int)(17 + (60 * Math.Pow(random.NextDouble(), 1.3)));
            var (work, education, occupation, state) = (Draw(WorkClasses), Draw(Educations), Draw(Occupations), Draw(States));
            var hours = Math.Clamp((int)(40 + (12 * Normal())), 1, 99);
            var gain = random.NextDouble() < 0.08 ? (int)Math.Exp(8 + (1.1 * Normal())) : 0;
            var score = -2.6 + work.Effect + education.Effect + occupation.Effect + state.Effect
                + (1.6 * (1 - Math.Pow((age - 50) / 25.0, 2))) + (0.05 * (hours - 40)) + (gain > 5000 ? 3 : 0)
                + (education.Name == "Doctorate" && occupation.Name == "Profession" ? 1 : 0) + (age < 25 ? -2 : 0);
            var isHigh = random.NextDouble() < 1 / (1 + Math.Exp(-score));
            file.WriteLine(string.Join(',', age, Known(work.Name, 0.06), education.Name, Known(occupation.Name, 0.06), state.Name, Known($"{hours}", 0.03), gain, isHigh ? ">50K" : "<=50K"));
        }

        string Known(string answer, double missing) => random.NextDouble() < missing ? "" : answer;

        double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

        (string Name, double Weight, double Effect) Draw((string Name, double Weight, double Effect)[] choices)
        {
            var place = random.NextDouble() * choices.Sum(choice => choice.Weight);
            foreach (var choice in choices)
            {
                if ((place -= choice.Weight) < 0) return choice;
            }
            return choices[^1];
        }
    }
}
