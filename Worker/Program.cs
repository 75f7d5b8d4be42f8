using Dataflow.Worker.Commands;

// An executor is started from the application's own files, where no command line library need be: nothing of it is touched on this way.
return await (args is ["executor"] ? ExecutorCommand.RunAsync() : CommandLine.RunAsync(args));
