/* The textbook UDP server: answers each datagram with as many bytes. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}, client;
    socklen_t length = sizeof address;
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    address.sin_port = htons(argc > 1 ? atoi(argv[1]) : 0);
    if (bind(s, (struct sockaddr *)&address, sizeof address) < 0) { perror("bind"); return 1; }
    getsockname(s, (struct sockaddr *)&address, &length);
    printf("READY %d\n", ntohs(address.sin_port));
    fflush(stdout);
    char buffer[1024];
    for (;;) {
        length = sizeof client;
        ssize_t n = recvfrom(s, buffer, sizeof buffer, 0, (struct sockaddr *)&client, &length);
        for (ssize_t i = 0; i < n; i++) buffer[i] = toupper((unsigned char)buffer[i]);
        if (n >= 0) sendto(s, buffer, n, 0, (struct sockaddr *)&client, length);
    }
}
