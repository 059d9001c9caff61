using Doorbell.Mutation;

return await new MutationCommand().RunAsync(args);
