// What every server here must do alike, so that they are compared at the same work: one short conversation for each rule.
#define _GNU_SOURCE
#include "load.h"
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LONG_LINE = 200000 };

static void say(int door, const char *text, size_t length)
{
    for (size_t sent = 0; sent < length;) {
        ssize_t taken = send(door, text + sent, length - sent, MSG_NOSIGNAL);
        if (taken <= 0)
            fail("send");
        sent += (size_t)taken;
    }
}

static void expect(int door, const char *text, size_t length, const char *rule)
{
    char *got = malloc(length + 1);
    ssize_t count = got == NULL ? -1 : recv(door, got, length, MSG_WAITALL);
    if (count != (ssize_t)length || memcmp(got, text, length) != 0) {
        fprintf(stderr, "it breaks a rule: %s\n", rule);
        exit(1);
    }
    free(got);
}

static void expect_end(int door, const char *rule)
{
    char byte;
    if (recv(door, &byte, 1, 0) != 0)
        give_up(rule);
    close(door);
}

static void long_line(const struct options *options)
{
    static char line[LONG_LINE], capitals[LONG_LINE];
    memset(line, 'x', LONG_LINE);
    memset(capitals, 'X', LONG_LINE);
    line[LONG_LINE - 1] = capitals[LONG_LINE - 1] = '\n';
    int door = open_connection(options, 0);
    say(door, line, LONG_LINE);
    expect(door, capitals, LONG_LINE, "a long line is answered whole");
    close(door);
}

void check_behaviour(const struct options *options)
{
    int door = open_connection(options, 0);
    say(door, "abc\nd 9\n", 8);
    expect(door, "ABC\nD 9\n", 8, "lines that come together are answered");
    say(door, "one", 3);
    // The next piece goes out as a segment of its own: the connection has TCP_NODELAY.
    say(door, " line\nnul", 9);
    expect(door, "ONE LINE\n", 9, "a line that comes in pieces is one line");
    say(door, "\0rest", 5);
    expect(door, "NUL\0", 4, "NUL ends a line too");
    shutdown(door, SHUT_WR);
    expect(door, "REST", 4, "an unfinished line is answered at the half-close");
    expect_end(door, "it does not close after the half-close");
    long_line(options);
    door = open_connection(options, 0);
    shutdown(door, SHUT_WR);
    expect_end(door, "it does not close a connection that says nothing");
}
