/* The textbook UDP client: sends its whole buffer of 1,024 bytes, the sentence and NULs. */
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    char sentence[1024] = {0}, modified[1025] = {0};
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM}, *server;
    if (argc < 3 || getaddrinfo(argv[1], argv[2], &hints, &server) != 0) return 2;
    int s = socket(server->ai_family, SOCK_DGRAM, 0);
    if (fgets(sentence, sizeof sentence, stdin) == NULL) return 1;
    if (sendto(s, sentence, sizeof sentence, 0, server->ai_addr, server->ai_addrlen) < 0) { perror("sendto"); return 1; }
    if (recvfrom(s, modified, sizeof modified - 1, 0, NULL, NULL) < 0) { perror("recvfrom"); return 1; }
    printf("FROM SERVER: %s\n", modified);
    close(s);
    return 0;
}
