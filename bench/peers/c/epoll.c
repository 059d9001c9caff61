// epoll PORT [echo]: the yardstick, one thread on epoll, level-triggered. Lines that arrive together are answered in one send.
#define _GNU_SOURCE
#include "capitalize.h"
#include <errno.h>
#include <sys/epoll.h>

enum { MOST_SOCKETS = 1 << 16, EVENTS = 256 };

struct connection {
    struct text unfinished; // a line whose end has not come
    struct text unsent;     // what the kernel did not take; until it does, nothing more is received
    size_t sent;            // of the unsent
    bool ended;             // the peer half-closed
};

static struct connection connections[MOST_SOCKETS];
static char buffer[1 << 18];
static int epoll;
static bool echo;

static void watch(int operation, int socket, unsigned events)
{
    struct epoll_event change = { .events = events, .data.fd = socket };
    if (epoll_ctl(epoll, operation, socket, &change) < 0)
        die("epoll_ctl");
}

static void end(int socket)
{
    struct connection *connection = &connections[socket];
    if (connection->unfinished.bytes != NULL)
        empty(&connection->unfinished);
    if (connection->unsent.bytes != NULL)
        empty(&connection->unsent);
    connection->sent = 0;
    connection->ended = false;
    close(socket);
}

// False if the connection has ended.
static bool answer(int socket, const char *bytes, size_t length)
{
    ssize_t taken = send(socket, bytes, length, MSG_NOSIGNAL);
    if (taken == (ssize_t)length)
        return true;
    if (taken < 0 && errno != EAGAIN) {
        end(socket);
        return false;
    }
    size_t first = taken < 0 ? 0 : (size_t)taken;
    append(&connections[socket].unsent, bytes + first, length - first);
    watch(EPOLL_CTL_MOD, socket, EPOLLOUT);
    return true;
}

static void received(int socket, size_t length)
{
    struct connection *connection = &connections[socket];
    size_t whole = echo ? length : whole_lines(buffer, length);
    if (connection->unfinished.length > 0) {
        append(&connection->unfinished, buffer, whole > 0 ? whole : length);
        if (whole == 0) {
            if (connection->unfinished.length > MOST_UNFINISHED)
                end(socket);
            return;
        }
        capitalize(connection->unfinished.bytes, connection->unfinished.length);
        if (!answer(socket, connection->unfinished.bytes, connection->unfinished.length))
            return;
        empty(&connection->unfinished);
    } else if (whole > 0) {
        if (!echo)
            capitalize(buffer, whole);
        if (!answer(socket, buffer, whole))
            return;
    }
    if (whole < length)
        append(&connection->unfinished, buffer + whole, length - whole);
}

static void ended(int socket)
{
    struct connection *connection = &connections[socket];
    connection->ended = true;
    if (connection->unfinished.length > 0) {
        capitalize(connection->unfinished.bytes, connection->unfinished.length);
        if (!answer(socket, connection->unfinished.bytes, connection->unfinished.length))
            return;
    }
    if (connection->unsent.length == 0)
        end(socket);
}

static void readable(int socket)
{
    ssize_t got = recv(socket, buffer, sizeof buffer, 0);
    if (got > 0)
        received(socket, (size_t)got);
    else if (got == 0)
        ended(socket);
    else if (errno != EAGAIN && errno != EINTR)
        end(socket);
}

static void writable(int socket)
{
    struct connection *connection = &connections[socket];
    ssize_t taken = send(socket, connection->unsent.bytes + connection->sent, connection->unsent.length - connection->sent, MSG_NOSIGNAL);
    if (taken < 0) {
        if (errno != EAGAIN)
            end(socket);
        return;
    }
    connection->sent += (size_t)taken;
    if (connection->sent < connection->unsent.length)
        return;
    if (connection->ended) {
        end(socket);
        return;
    }
    connection->sent = connection->unsent.length = 0; // its memory is kept: who was slow once is slow again
    watch(EPOLL_CTL_MOD, socket, EPOLLIN);
}

static void accept_all(int listener)
{
    int accepted;
    while ((accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
        if (accepted < MOST_SOCKETS)
            watch(EPOLL_CTL_ADD, accepted, EPOLLIN);
        else
            close(accepted);
    if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
        die("accept");
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    echo = argc > 2 && strcmp(argv[2], "echo") == 0;
    struct epoll_event events[EVENTS];
    if ((epoll = epoll_create1(EPOLL_CLOEXEC)) < 0)
        die("epoll_create1");
    int listener = open_server(SOCK_STREAM | SOCK_NONBLOCK, argv[1]);
    watch(EPOLL_CTL_ADD, listener, EPOLLIN);
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            int socket = events[i].data.fd;
            if (socket == listener)
                accept_all(listener);
            else if (connections[socket].unsent.length > 0)
                writable(socket);
            else
                readable(socket);
        }
    }
}
