namespace Doorbell.Lab.Load;

/// <summary>Where an answer ends.</summary>
internal enum AnswerKind
{
    Line,
    Until,
    Bytes,
    Echo,
    Capitals,
    End,
    Nothing,
    Datagram,
}
