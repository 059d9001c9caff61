/* The textbook TCP server: reads once, writes its whole buffer of 1,024 bytes, which is never cleared, closes. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int one = 1, welcome = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_port = htons(argc > 1 ? atoi(argv[1]) : 0);
    setsockopt(welcome, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(welcome, (struct sockaddr *)&address, sizeof address) < 0 || listen(welcome, 5) < 0) { perror("bind"); return 1; }
    getsockname(welcome, (struct sockaddr *)&address, &length);
    printf("READY %d\n", ntohs(address.sin_port));
    fflush(stdout);
    char buffer[1024] = {0};
    for (;;) {
        int connection = accept(welcome, NULL, NULL);
        if (read(connection, buffer, sizeof buffer) > 0) {
            for (size_t i = 0; i < sizeof buffer; i++) buffer[i] = toupper((unsigned char)buffer[i]);
            if (write(connection, buffer, sizeof buffer) < 0) perror("write");
        }
        close(connection);
    }
}
