// An open loop: requests come at a given rate, at random moments (a Poisson process with a fixed seed), whether or not earlier ones have
// been answered. A latency is counted from the moment the request should have been sent, not from when it was: otherwise a server that
// stalls would also stop the clock that tells (coordinated omission).
#include "lines.h"
#include <math.h>

static uint64_t seed = 88172645463325252;

// Xorshift: enough for arrival times.
static double next_gap(double mean)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return -log(((double)(seed >> 11) + 1) / 9007199254740993.0) * mean;
}

static void nothing_follows(struct line_connection *connection, int count)
{
    (void)connection;
    (void)count;
}

void open_loop(const struct options *options)
{
    lines_open(options, MOST_UNANSWERED);
    measure_prepare(options);
    double mean = 1e9 / options->rate, due = (double)now();
    int turn = 0;
    while (measure_running()) {
        // It looks for answers again and again and never sleeps: waking up would be part of the latency.
        for (uint64_t time = now(); due <= (double)time; time = now()) {
            measure_lateness(time - (uint64_t)due);
            lines_ask(&lines[turn], (uint64_t)due);
            lines_send(&lines[turn]);
            turn = (turn + 1) % options->connections;
            due += next_gap(mean);
            if (time - (uint64_t)due > 100000 && due < (double)time)
                break; // far behind: look at the answers, too
        }
        lines_wait(0, nothing_follows);
    }
}
