import java.net.*;

/** The textbook UDP server: answers its whole buffer of 1,024 bytes. */
class UDPServer {
    public static void main(String[] argv) throws Exception {
        DatagramSocket serverSocket = new DatagramSocket(Integer.parseInt(argv[0]), InetAddress.getByName("127.0.0.1"));
        System.out.println("READY " + serverSocket.getLocalPort());
        while (true) {
            byte[] receiveData = new byte[1024];
            DatagramPacket receivePacket = new DatagramPacket(receiveData, receiveData.length);
            serverSocket.receive(receivePacket);
            byte[] sendData = new String(receivePacket.getData()).toUpperCase().getBytes();
            serverSocket.send(new DatagramPacket(sendData, sendData.length, receivePacket.getAddress(), receivePacket.getPort()));
        }
    }
}
