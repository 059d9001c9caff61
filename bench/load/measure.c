// The measured window: when it opens and closes, what the server's and our own processor clocks said, and how long answers took.
#define _GNU_SOURCE
#include "load.h"
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

// Latencies in a histogram whose steps grow with the value: 256 steps for each doubling, so that no value is off by more than 0.4 %.
enum { STEP_BITS = 8, STEPS = 1 << STEP_BITS, BUCKETS = (64 - STEP_BITS) * STEPS };

struct histogram {
    uint64_t buckets[BUCKETS], count, greatest;
};

struct snapshot {
    uint64_t time, server, driver;
};

struct counts counts;
static struct histogram latencies, lateness;
static struct snapshot opened, closed;
static uint64_t opens_at, closes_at;
static clockid_t server_clock;
static enum { BEFORE, IN, AFTER } phase;

static uint64_t read_clock(clockid_t clock)
{
    struct timespec time;
    if (clock_gettime(clock, &time) < 0)
        fail("the server has ended: clock_gettime");
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

uint64_t now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

static struct snapshot snapshot(void)
{
    return (struct snapshot){ now(), read_clock(server_clock), read_clock(CLOCK_PROCESS_CPUTIME_ID) };
}

void measure_prepare(const struct options *options)
{
    if (clock_getcpuclockid(options->server, &server_clock) != 0)
        give_up("there is no process with the server's id");
    opens_at = now() + (uint64_t)(options->warm_up * 1e9);
    closes_at = opens_at + (uint64_t)(options->seconds * 1e9);
}

void measure_from_here_to_the_end(void)
{
    opened = snapshot();
    phase = IN;
}

void measure_end(void)
{
    closed = snapshot();
    phase = AFTER;
}

bool measure_running(void)
{
    uint64_t time = now();
    if (phase == BEFORE && time >= opens_at)
        measure_from_here_to_the_end();
    else if (phase == IN && time >= closes_at)
        measure_end();
    return phase != AFTER;
}

bool measure_in_window(void)
{
    return phase == IN;
}

static unsigned bucket_of(uint64_t value)
{
    if (value < STEPS)
        return (unsigned)value;
    unsigned shift = 63 - (unsigned)__builtin_clzll(value) - STEP_BITS;
    return (shift + 1) * STEPS + (unsigned)((value >> shift) - STEPS);
}

// The greatest value that falls into the bucket.
static uint64_t value_of(unsigned bucket)
{
    unsigned shift = bucket / STEPS;
    return shift == 0 ? bucket : ((uint64_t)(bucket % STEPS + STEPS + 1) << (shift - 1)) - 1;
}

static void add(struct histogram *histogram, uint64_t value)
{
    histogram->buckets[bucket_of(value)]++;
    histogram->count++;
    if (value > histogram->greatest)
        histogram->greatest = value;
}

// Nearest rank.
static uint64_t percentile(const struct histogram *histogram, double share)
{
    uint64_t rank = (uint64_t)(share * (double)histogram->count + 0.999999), seen = 0;
    for (unsigned bucket = 0; bucket < BUCKETS; bucket++)
        if ((seen += histogram->buckets[bucket]) >= rank && seen > 0) {
            uint64_t value = value_of(bucket);
            return value < histogram->greatest ? value : histogram->greatest;
        }
    return 0;
}

void measure_answer(uint64_t since)
{
    if (phase != IN)
        return;
    counts.requests++;
    add(&latencies, now() - since);
}

void measure_lateness(uint64_t nanoseconds)
{
    if (phase == IN)
        add(&lateness, nanoseconds);
}

static void print_percentiles(const char *name, const struct histogram *histogram)
{
    printf(",\"%s\":{\"p50\":%" PRIu64 ",\"p90\":%" PRIu64 ",\"p99\":%" PRIu64 ",\"p999\":%" PRIu64 ",\"max\":%" PRIu64 "}", name,
        percentile(histogram, 0.5), percentile(histogram, 0.9), percentile(histogram, 0.99), percentile(histogram, 0.999),
        histogram->greatest);
}

void measure_print(void)
{
    printf("{\"requests\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"nanoseconds\":%" PRIu64 ",\"serverCpu\":%" PRIu64 ",\"driverCpu\":%" PRIu64,
        counts.requests, counts.bytes, closed.time - opened.time, closed.server - opened.server, closed.driver - opened.driver);
    printf(",\"wrong\":%" PRIu64 ",\"failed\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"late\":%" PRIu64, counts.wrong, counts.failed, counts.lost,
        counts.late);
    if (latencies.count > 0)
        print_percentiles("latency", &latencies);
    if (lateness.count > 0)
        print_percentiles("lateness", &lateness);
    puts("}");
}
