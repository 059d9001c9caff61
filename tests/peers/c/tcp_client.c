/* The textbook TCP client: sends the line and its NUL, and reads once. */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    char sentence[1024] = {0}, modified[1024] = {0};
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *server;
    if (argc < 3 || getaddrinfo(argv[1], argv[2], &hints, &server) != 0) return 2;
    int s = socket(server->ai_family, SOCK_STREAM, 0);
    if (connect(s, server->ai_addr, server->ai_addrlen) < 0) { perror("connect"); return 1; }
    if (fgets(sentence, sizeof sentence, stdin) == NULL) return 1;
    if (write(s, sentence, strlen(sentence) + 1) < 0) { perror("write"); return 1; }
    if (read(s, modified, sizeof modified - 1) < 0) { perror("read"); return 1; }
    printf("FROM SERVER: %s\n", modified);
    close(s);
    return 0;
}
