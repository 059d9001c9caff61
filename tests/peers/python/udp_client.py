"""The textbook UDP client."""
import sys
from socket import socket, AF_INET, SOCK_DGRAM

client = socket(AF_INET, SOCK_DGRAM)
message = sys.stdin.readline()
client.sendto(message.encode(), (sys.argv[1], int(sys.argv[2])))
modified, server = client.recvfrom(2048)
print("FROM SERVER:", modified.decode().rstrip("\r\n\0"))
client.close()
