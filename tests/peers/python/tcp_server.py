"""The textbook TCP server: one recv, one send, close."""
import sys
from socket import socket, AF_INET, SOCK_STREAM, SOL_SOCKET, SO_REUSEADDR

server = socket(AF_INET, SOCK_STREAM)
server.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(sys.argv[1])))
server.listen(1)
print("READY", server.getsockname()[1], flush=True)
while True:
    connection, address = server.accept()
    sentence = connection.recv(2048).decode()
    connection.send(sentence.upper().encode())
    connection.close()
