import java.io.*;
import java.net.*;

/** The textbook TCP server: one client at a time, one line a connection, byte by byte, and never closes. */
class TCPServer {
    public static void main(String[] argv) throws Exception {
        ServerSocket welcomeSocket = new ServerSocket(Integer.parseInt(argv[0]), 50, InetAddress.getByName("127.0.0.1"));
        System.out.println("READY " + welcomeSocket.getLocalPort());
        while (true) {
            Socket connectionSocket = welcomeSocket.accept();
            connectionSocket.setTcpNoDelay(true);
            BufferedReader inFromClient = new BufferedReader(new InputStreamReader(connectionSocket.getInputStream()));
            DataOutputStream outToClient = new DataOutputStream(connectionSocket.getOutputStream());
            String clientSentence = inFromClient.readLine();
            String capitalizedSentence = clientSentence.toUpperCase() + '\n';
            outToClient.writeBytes(capitalizedSentence);
        }
    }
}
