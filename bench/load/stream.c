// One long stream through an echo service: sends and receives at once, compares every byte with what was sent, half-closes at the end and
// wants the stream's end after the last byte.
#define _GNU_SOURCE
#include "load.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

// The pattern repeats after a prime number of bytes, so that no piece lost or doubled by a buffer's size goes unseen. It is long enough
// that a chunk from any place of it is in one piece.
enum { PERIOD = 65521, CHUNK = 1 << 18 };

static char pattern[PERIOD + CHUNK], incoming[CHUNK];

static void prepare(void)
{
    uint32_t state = 1;
    for (int i = 0; i < PERIOD; i++)
        pattern[i] = (char)((state = state * 1664525 + 1013904223) >> 24);
    for (int i = PERIOD; i < PERIOD + CHUNK; i++)
        pattern[i] = pattern[i - PERIOD];
}

static size_t least(uint64_t one, uint64_t other)
{
    return (size_t)(one < other ? one : other);
}

void stream_through(const struct options *options)
{
    prepare();
    int door = open_connection(options, 0);
    uint64_t sent = 0, received = 0;
    measure_prepare(options);
    measure_from_here_to_the_end();
    for (;;) {
        struct pollfd ready = { .fd = door, .events = (short)(POLLIN | (sent < options->total ? POLLOUT : 0)) };
        if (poll(&ready, 1, PATIENCE_MS) == 0)
            give_up("the stream stands still for 5 seconds");
        if ((ready.revents & POLLOUT) != 0) {
            ssize_t taken = send(door, pattern + sent % PERIOD, least(CHUNK, options->total - sent), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (taken < 0 && errno != EAGAIN)
                fail("send");
            sent += taken > 0 ? (uint64_t)taken : 0;
            if (sent == options->total && taken > 0 && shutdown(door, SHUT_WR) < 0)
                fail("shutdown");
        }
        if ((ready.revents & (POLLIN | POLLHUP | POLLERR)) == 0)
            continue;
        ssize_t got = recv(door, incoming, CHUNK, MSG_DONTWAIT);
        if (got == 0)
            break;
        if (got < 0 && errno != EAGAIN)
            fail("recv");
        if (got < 0)
            continue;
        if (received + (size_t)got > sent || memcmp(incoming, pattern + received % PERIOD, (size_t)got) != 0)
            counts.wrong++;
        received += (size_t)got;
    }
    measure_end();
    counts.bytes = received;
    counts.requests = 1;
    counts.wrong += received != options->total;
}
