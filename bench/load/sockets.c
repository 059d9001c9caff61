// Sockets of the load. Its connections come from many addresses of the loopback network: a closed one's pair of ports rests for a minute
// (TIME_WAIT), and one address has too few of them.
#define _GNU_SOURCE
#include "load.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { SOURCES = 250 };

void fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

void give_up(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static struct sockaddr_in server_address(const struct options *options)
{
    return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)options->port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static int new_connection(uint32_t asker, int flags)
{
    int one = 1, door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    struct sockaddr_in source = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000101 + asker % SOURCES) };
    if (door < 0)
        fail("socket");
    // The port is chosen when it connects: only then is it known which pairs are free.
    if (setsockopt(door, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one) < 0
        || bind(door, (struct sockaddr *)&source, sizeof source) < 0)
        fail("bind");
    return door;
}

int open_connection(const struct options *options, uint32_t asker)
{
    struct sockaddr_in address = server_address(options);
    struct timeval patience = { .tv_sec = PATIENCE_MS / 1000 };
    int one = 1, door = new_connection(asker, 0);
    // SO_SNDTIMEO bounds connect(2) too.
    setsockopt(door, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt(door, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(door, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(door, (struct sockaddr *)&address, sizeof address) < 0)
        fail("connect");
    return door;
}

int begin_connection(const struct options *options, uint32_t asker)
{
    struct sockaddr_in address = server_address(options);
    int door = new_connection(asker, SOCK_NONBLOCK);
    if (connect(door, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS) {
        close(door);
        return -1;
    }
    return door;
}

int open_datagram_socket(const struct options *options)
{
    struct sockaddr_in address = server_address(options);
    int door = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (door < 0 || connect(door, (struct sockaddr *)&address, sizeof address) < 0)
        fail("connect");
    return door;
}
