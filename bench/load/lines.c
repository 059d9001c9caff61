#define _GNU_SOURCE
#include "lines.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { SCRATCH = 1 << 18, EVENTS = 256 };

struct line_connection *lines;
int lines_epoll;
static size_t bytes;
static unsigned ring_mask;
static char outgoing[SCRATCH + MOST_BYTES], incoming[SCRATCH];
static uint64_t last_answer;

static void watch(int operation, struct line_connection *connection, unsigned events)
{
    struct epoll_event change = { .events = events, .data.ptr = connection };
    if (epoll_ctl(lines_epoll, operation, connection->socket, &change) < 0)
        fail("epoll_ctl");
}

void lines_open(const struct options *options, int unanswered)
{
    unsigned size = 1;
    while (size < (unsigned)unanswered)
        size *= 2;
    ring_mask = size - 1;
    bytes = (size_t)options->bytes;
    lines = calloc((size_t)options->connections, sizeof *lines);
    uint64_t *rings = calloc((size_t)options->connections * size, sizeof *rings);
    lines_epoll = epoll_create1(EPOLL_CLOEXEC);
    if (lines == NULL || rings == NULL || lines_epoll < 0)
        fail("epoll_create1");
    for (int i = 0; i < options->connections; i++) {
        lines[i] = (struct line_connection){ .socket = open_connection(options, (uint32_t)i), .asker = (uint32_t)i,
            .since = rings + (size_t)i * size };
        watch(EPOLL_CTL_ADD, &lines[i], EPOLLIN);
    }
    last_answer = now();
}

void lines_ask(struct line_connection *connection, uint64_t since)
{
    if (connection->asked / bytes - connection->answered / bytes > ring_mask)
        give_up("the server can't keep up with this rate");
    connection->since[connection->asked / bytes & ring_mask] = since;
    connection->asked += bytes;
}

void lines_send(struct line_connection *connection)
{
    while (connection->sent < connection->asked && !connection->blocked) {
        uint64_t number = connection->sent / bytes;
        size_t skip = connection->sent % bytes, length = 0;
        for (; number * bytes < connection->asked && length < SCRATCH; number++, length += bytes)
            question_write(outgoing + length, connection->asker, number);
        ssize_t taken = send(connection->socket, outgoing + skip, length - skip, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (taken < 0 && errno != EAGAIN)
            fail("send");
        if (taken > 0)
            connection->sent += (size_t)taken;
        if (taken < (ssize_t)(length - skip)) {
            connection->blocked = true;
            watch(EPOLL_CTL_MOD, connection, EPOLLIN | EPOLLOUT);
        }
    }
}

int lines_receive(struct line_connection *connection)
{
    ssize_t got = recv(connection->socket, incoming, sizeof incoming, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return 0;
    if (got <= 0 || connection->answered + (size_t)got > connection->sent) {
        counts.failed += got <= 0;
        counts.wrong += got > 0;
        give_up(got == 0 ? "the server closed a connection" : got < 0 ? "a connection broke" : "the server answered what nobody asked");
    }
    int whole = 0;
    for (size_t at = 0; at < (size_t)got;) {
        uint64_t number = connection->answered / bytes;
        size_t offset = connection->answered % bytes, length = bytes - offset;
        if (length > (size_t)got - at)
            length = (size_t)got - at;
        if (!question_check(incoming + at, offset, length, connection->asker, number))
            counts.wrong++;
        at += length;
        connection->answered += length;
        if (connection->answered % bytes == 0) {
            measure_answer(connection->since[number & ring_mask]);
            whole++;
        }
    }
    if (measure_in_window())
        counts.bytes += (uint64_t)got;
    last_answer = now();
    return whole;
}

void lines_wait(int timeout, void (*answered)(struct line_connection *, int))
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(lines_epoll, events, EVENTS, timeout);
    if (count < 0 && errno != EINTR)
        fail("epoll_wait");
    for (int i = 0; i < count; i++) {
        struct line_connection *connection = events[i].data.ptr;
        if ((events[i].events & EPOLLOUT) != 0) {
            connection->blocked = false;
            watch(EPOLL_CTL_MOD, connection, EPOLLIN);
            lines_send(connection);
        }
        if ((events[i].events & ~(unsigned)EPOLLOUT) != 0)
            answered(connection, lines_receive(connection));
    }
    if (now() - last_answer > (uint64_t)PATIENCE_MS * 1000000)
        give_up("no answer for 5 seconds");
}
