using Dataflow.Benchmarks;
using Dataflow.Benchmarks.Cluster;
using Dataflow.Benchmarks.Ml;
using Dataflow.Benchmarks.Nexmark;
using Dataflow.Benchmarks.Parquet;
using Dataflow.Benchmarks.Rdds;
using Dataflow.Benchmarks.Running;
using Dataflow.Benchmarks.SqlMicro;
using Dataflow.Benchmarks.Streaming;
using Dataflow.Benchmarks.TpchData;
using Dataflow.Benchmarks.TpchRuns;

// Child processes of benchmarks that measure a whole process come in through the same door.
if (args is [Children.Verb, ..]) return Children.Run(args.AsSpan(1));

if (args is [TpchGenerate.Verb, ..]) return TpchGenerate.Run(args.AsSpan(1));
if (args is [TpchCommand.Verb, ..]) return await TpchCommand.RunAsync(args[1..]);
if (args is [SqlMicroCommand.Verb, ..]) return await SqlMicroCommand.RunAsync(args[1..]);
if (args is [UdfCommand.Verb, ..]) return UdfCommand.Run(args);
if (args is [PlanCommand.Verb, ..]) return PlanCommand.Run(args);
if (args is [MlGenerate.Verb, ..]) return MlGenerate.Run(args.AsSpan(1));
if (args is [MlCommand.Verb, ..]) return MlCommand.Run(args[1..]);
if (args is [MlCommand.BudgetVerb, ..]) return MlCommand.Run(args);
if (args is [DeterminismCommand.Verb, ..]) return await DeterminismCommand.RunAsync(args[1..]);

if (args is [KafkaWork.BrokersVerb]) return KafkaWork.RunBrokers();
if (args is [NexmarkCommand.Verb, ..]) return await NexmarkCommand.RunAsync(args[1..]);
if (args is [StreamingCommand.Verb, ..]) return await StreamingCommand.RunAsync(args[1..]);

return CommandLine.Run(args, [RddSuite.Create(), ClusterSuite.Create(), ParquetSuite.Create()]);
