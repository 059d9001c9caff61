import java.io.*;
import java.net.*;

/** The textbook UDP client. */
class UDPClient {
    public static void main(String[] argv) throws Exception {
        BufferedReader inFromUser = new BufferedReader(new InputStreamReader(System.in));
        DatagramSocket clientSocket = new DatagramSocket();
        InetAddress address = InetAddress.getByName(argv[0]);
        byte[] sendData = inFromUser.readLine().getBytes();
        byte[] receiveData = new byte[1024];
        clientSocket.send(new DatagramPacket(sendData, sendData.length, address, Integer.parseInt(argv[1])));
        DatagramPacket receivePacket = new DatagramPacket(receiveData, receiveData.length);
        clientSocket.receive(receivePacket);
        System.out.println("FROM SERVER: " + new String(receivePacket.getData(), 0, receivePacket.getLength()));
        clientSocket.close();
    }
}
