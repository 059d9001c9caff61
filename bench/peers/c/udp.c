// udp PORT: the yardstick for datagrams, recvfrom and sendto, one at a time.
#define _GNU_SOURCE
#include "capitalize.h"
#include <errno.h>

int main(int argc, char **argv)
{
    static char buffer[65536];
    if (argc < 2)
        return 2;
    int server = open_server(SOCK_DGRAM, argv[1]);
    for (;;) {
        struct sockaddr_in peer;
        socklen_t size = sizeof peer;
        ssize_t length = recvfrom(server, buffer, sizeof buffer, 0, (struct sockaddr *)&peer, &size);
        if (length < 0) {
            if (errno == EINTR || errno == ECONNREFUSED)
                continue;
            die("recvfrom");
        }
        capitalize(buffer, (size_t)length);
        sendto(server, buffer, (size_t)length, 0, (struct sockaddr *)&peer, size); // what can't be sent is lost, as datagrams may be
    }
}
