// What the C peers share: capitalising, the end of the last whole line, text that grows, and a listening socket that says where it is.
#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_UNFINISHED = 1 << 20 };

static inline void die(const char *what)
{
    perror(what);
    exit(1);
}

// No branch and no table, so that gcc -O3 makes vectors of it.
static inline void capitalize(char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        text[i] ^= (char)(((unsigned char)(text[i] - 'a') < 26) << 5);
}

// How many bytes the whole lines are; a line ends at LF or NUL.
static inline size_t whole_lines(const char *text, size_t length)
{
    if (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\0'))
        return length;
    const char *feed = memrchr(text, '\n', length);
    size_t whole = feed != NULL ? (size_t)(feed - text) + 1 : 0;
    const char *nul = memrchr(text + whole, '\0', length - whole);
    return nul != NULL ? (size_t)(nul - text) + 1 : whole;
}

struct text {
    char *bytes;
    size_t length, capacity;
};

static inline void append(struct text *text, const char *bytes, size_t length)
{
    if (length == 0)
        return;
    if (text->length + length > text->capacity) {
        text->capacity = text->length + length > 2 * text->capacity ? text->length + length : 2 * text->capacity;
        text->bytes = realloc(text->bytes, text->capacity);
        if (text->bytes == NULL)
            die("realloc");
    }
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
}

static inline void empty(struct text *text)
{
    free(text->bytes);
    *text = (struct text){ 0 };
}

// Binds 127.0.0.1:port (0 is any free one), listens if it is a stream's, and prints the line that says so.
static inline int open_server(int type, const char *port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(port)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    int one = 1, server = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    if (server < 0 || bind(server, (struct sockaddr *)&address, size) < 0)
        die("bind");
    if ((type & SOCK_STREAM) != 0 && (setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) < 0 || listen(server, 4096) < 0))
        die("listen");
    if (getsockname(server, (struct sockaddr *)&address, &size) < 0)
        die("getsockname");
    printf("listening %d\n", ntohs(address.sin_port));
    fflush(stdout);
    return server;
}
