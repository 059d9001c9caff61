// A new connection for each request, so many at once: connect, ask, read the answer, close.
#define _GNU_SOURCE
#include "load.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256 };

struct client {
    int socket;
    uint32_t asker;
    uint64_t number, since;
    size_t sent, answered;
};

static const struct options *options;
static int epoll;
static size_t bytes;
static char line[MOST_BYTES], incoming[MOST_BYTES];

static void begin(struct client *client);

static void end(struct client *client, bool failed)
{
    counts.failed += failed;
    if (counts.failed > 1000)
        give_up("more than 1,000 connections failed");
    close(client->socket);
    client->number++;
    begin(client);
}

static void watch(int operation, struct client *client, unsigned events)
{
    struct epoll_event change = { .events = events, .data.ptr = client };
    if (epoll_ctl(epoll, operation, client->socket, &change) < 0)
        fail("epoll_ctl");
}

static bool ask(struct client *client)
{
    question_write(line, client->asker, client->number);
    ssize_t taken = send(client->socket, line + client->sent, bytes - client->sent, MSG_NOSIGNAL);
    if (taken > 0)
        client->sent += (size_t)taken;
    return taken >= 0 || errno == EAGAIN || errno == ENOTCONN;
}

static void begin(struct client *client)
{
    client->since = now();
    client->sent = client->answered = 0;
    client->socket = begin_connection(options, client->asker + (uint32_t)client->number);
    if (client->socket < 0)
        fail("connect");
    // Over loopback it is established already, unless the backlog is full.
    if (!ask(client))
        fail("send");
    watch(EPOLL_CTL_ADD, client, client->sent < bytes ? EPOLLOUT : EPOLLIN);
}

static void writable(struct client *client)
{
    if (!ask(client))
        end(client, true);
    else if (client->sent == bytes)
        watch(EPOLL_CTL_MOD, client, EPOLLIN);
}

static void readable(struct client *client)
{
    ssize_t got = recv(client->socket, incoming, bytes, 0);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0 || client->answered + (size_t)got > bytes) {
        end(client, true);
        return;
    }
    if (!question_check(incoming, client->answered, (size_t)got, client->asker, client->number))
        counts.wrong++;
    client->answered += (size_t)got;
    if (client->answered < bytes)
        return;
    measure_answer(client->since);
    end(client, false);
}

void connect_each(const struct options *given)
{
    options = given;
    bytes = (size_t)options->bytes;
    struct client *clients = calloc((size_t)options->connections, sizeof *clients);
    if (clients == NULL || (epoll = epoll_create1(EPOLL_CLOEXEC)) < 0)
        fail("epoll_create1");
    measure_prepare(options);
    for (int i = 0; i < options->connections; i++) {
        clients[i].asker = (uint32_t)i;
        begin(&clients[i]);
    }
    struct epoll_event events[EVENTS];
    while (measure_running()) {
        int count = epoll_wait(epoll, events, EVENTS, PATIENCE_MS);
        if (count == 0)
            give_up("no answer for 5 seconds");
        for (int i = 0; i < count; i++)
            if ((events[i].events & EPOLLOUT) != 0)
                writable(events[i].data.ptr);
            else
                readable(events[i].data.ptr);
    }
}
