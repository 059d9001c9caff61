namespace Doorbell.Lab.Impair.Datagrams;

/// <summary>A datagram on its way.</summary>
/// <param name="Way">Up or down.</param>
/// <param name="Client">Whose it is.</param>
/// <param name="Bytes">Not changed any more.</param>
internal readonly record struct Delivery(DatagramWay Way, ImpairedClient Client, byte[] Bytes);
