"""The textbook TCP client."""
import sys
from socket import socket, AF_INET, SOCK_STREAM

client = socket(AF_INET, SOCK_STREAM)
client.connect((sys.argv[1], int(sys.argv[2])))
sentence = sys.stdin.readline()
client.send(sentence.encode())
modified = client.recv(2048)
print("FROM SERVER:", modified.decode().rstrip("\r\n\0"))
client.close()
