// A closed loop: each busy connection has so many lines in flight, and asks the next when an answer has come. If there are more connections
// than busy ones, the turn passes on with each answer, so that all of them are active one after the other.
#include "lines.h"

static int connections, depth, turn;
static bool passes_on;

static void ask_next(struct line_connection *connection, int count)
{
    if (count == 0)
        return;
    if (passes_on) {
        // The next that has no line under way: with few busy ones it is the very next.
        do
            turn = (turn + 1) % connections;
        while (lines[turn].asked != lines[turn].answered);
        connection = &lines[turn];
    }
    uint64_t since = now();
    for (int i = 0; i < count; i++)
        lines_ask(connection, since);
    lines_send(connection);
}

void closed_loop(const struct options *options)
{
    connections = options->connections;
    depth = options->depth;
    passes_on = options->active < connections;
    lines_open(options, depth);
    measure_prepare(options); // the connecting is no part of the warm-up
    turn = options->active - 1;
    for (int i = 0; i < options->active; i++) {
        uint64_t since = now();
        for (int j = 0; j < depth; j++)
            lines_ask(&lines[i], since);
        lines_send(&lines[i]);
    }
    while (measure_running())
        lines_wait(PATIENCE_MS, ask_next);
}
