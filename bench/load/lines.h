// A connection that asks lines and compares the answers: what the closed and the open loop have in common.
#pragma once
#include "load.h"

enum { MOST_UNANSWERED = 1 << 12 };

struct line_connection {
    int socket;
    uint32_t asker;
    uint64_t asked, sent, answered; // in bytes since the connection began; every line is as long as the others
    bool blocked;                   // the kernel took less than it was given
    uint64_t *since;                // when each unanswered line was asked, a ring
};

extern struct line_connection *lines;
extern int lines_epoll;

void lines_open(const struct options *options, int unanswered);
void lines_ask(struct line_connection *connection, uint64_t since); // to be sent by the next lines_send
void lines_send(struct line_connection *connection);
int lines_receive(struct line_connection *connection); // how many answers are whole now
void lines_wait(int timeout, void (*answered)(struct line_connection *, int));
