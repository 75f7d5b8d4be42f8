global using Dataflow.Sql;
