namespace Doorbell.Lab.Load;

/// <summary>What has been read of an answer.</summary>
/// <param name="Consumed">So many bytes are the answer's.</param>
/// <param name="IsWhole">It ends with them.</param>
/// <param name="IsWrong">They are not what was expected.</param>
internal readonly record struct AnswerPart(int Consumed, bool IsWhole, bool IsWrong);
