using Doorbell.Bench;

return await new BenchCommand().RunAsync(args);
