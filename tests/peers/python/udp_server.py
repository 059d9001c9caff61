"""The textbook UDP server."""
import sys
from socket import socket, AF_INET, SOCK_DGRAM

server = socket(AF_INET, SOCK_DGRAM)
server.bind(("127.0.0.1", int(sys.argv[1])))
print("READY", server.getsockname()[1], flush=True)
while True:
    message, client = server.recvfrom(2048)
    server.sendto(message.decode().upper().encode(), client)
