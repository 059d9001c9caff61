// The load: asks a server in one of several ways, compares every answer byte by byte, and tells what it took as one JSON line.
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    LEAST_BYTES = 32,                 // of a line: shorter ones would not tell the connections apart
    MOST_BYTES = 1 << 20,
    MOST_CONNECTIONS = 19000,
    PATIENCE_MS = 5000,               // without any answer for so long, the server is given up
};

struct options {
    int port;
    pid_t server;          // whose processor time is measured
    int connections;
    int active;            // how many of the connections are busy at once; the turn passes on with each answer
    int depth;             // lines, or datagrams, in flight on each
    int bytes;             // of a line or datagram
    double warm_up, seconds;
    double rate;           // requests a second of the open loop
    uint64_t total;        // bytes of the stream
};

// What a measured window saw.
struct counts {
    uint64_t requests, bytes;
    uint64_t wrong, failed; // answers; connections
    uint64_t lost, late;    // datagrams given up; those of them that came after all
};

// measure.c: the window, its clocks, its latencies.
uint64_t now(void);
void measure_prepare(const struct options *options);
bool measure_running(void);              // looks at the clock: opens the window after the warm-up, closes it at its end
void measure_from_here_to_the_end(void); // for work that has an end of its own: opens the window now
void measure_end(void);
void measure_answer(uint64_t since);     // a right answer to what was asked then
void measure_lateness(uint64_t nanoseconds); // of the open loop's own sends
extern struct counts counts;             // of the window; outside of it only wrong and failed count
bool measure_in_window(void);
void measure_print(void);

// question.c: the lines.
void question_prepare(int bytes);
void question_write(char *to, uint32_t asker, uint64_t number);
bool question_check(const char *answer, size_t offset, size_t length, uint32_t asker, uint64_t number);
uint64_t question_number(const char *answer);

// sockets.c
void fail(const char *what) __attribute__((noreturn));       // with errno's text
void give_up(const char *what) __attribute__((noreturn));
int open_connection(const struct options *options, uint32_t asker); // waits until it is established
int begin_connection(const struct options *options, uint32_t asker); // does not
int open_datagram_socket(const struct options *options);

// The ways to ask; each returns when it is done.
void closed_loop(const struct options *options);
void open_loop(const struct options *options);
void connect_each(const struct options *options);
void hold_idle(const struct options *options);
void stream_through(const struct options *options);
void datagrams(const struct options *options);
void datagram_trains(const struct options *options);
void check_behaviour(const struct options *options);
