namespace Doorbell.Clients;

/// <summary>A question on its way over one connection.</summary>
internal sealed class Question(byte[] framed)
{
    private readonly TaskCompletionSource<byte[]?> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The question as it is sent.</summary>
    public byte[] Framed => framed;

    /// <summary>The answer without its framing; null if nothing of the question was sent, so that it can be asked elsewhere.</summary>
    public Task<byte[]?> Answer => _answer.Task;

    /// <summary>Whether the kernel has taken all of it.</summary>
    public bool IsSent { get; set; }

    public void Answered(byte[] answer) => _answer.TrySetResult(answer);

    public void Unsent() => _answer.TrySetResult(null);

    public void Failed(NetworkException failure) => _answer.TrySetException(failure);
}
