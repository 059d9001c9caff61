// The yardstick: a capitaliser in one thread on epoll. A line may come in pieces; each piece is answered as it comes.
#define _GNU_SOURCE
#include <ctype.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static void die(const char *what)
{
    perror(what);
    exit(1);
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argc > 1 ? argv[1] : "0")),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), epoll = epoll_create1(EPOLL_CLOEXEC);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 4096) < 0)
        die("bind");
    struct epoll_event change = { .events = EPOLLIN, .data.fd = listener }, events[256];
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &change) < 0)
        die("epoll_ctl");
    static char buffer[65536];
    for (;;) {
        int count = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < count; i++) {
            int socket = events[i].data.fd;
            if (socket == listener) {
                int accepted;
                while ((accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
                    change.data.fd = accepted;
                    if (epoll_ctl(epoll, EPOLL_CTL_ADD, accepted, &change) < 0)
                        die("epoll_ctl");
                }
                continue;
            }
            ssize_t got = recv(socket, buffer, sizeof buffer, 0);
            if (got <= 0) {
                close(socket);
                continue;
            }
            for (ssize_t j = 0; j < got; j++)
                buffer[j] = (char)toupper((unsigned char)buffer[j]);
            if (send(socket, buffer, (size_t)got, MSG_NOSIGNAL) != got)
                close(socket);
        }
    }
}
