// load WORK --port N --server PID [--connections N] [--active N] [--depth N] [--bytes N] [--warm-up S] [--seconds S] [--rate N] [--total N]
#include "load.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    void (*work)(const struct options *);
    bool measures;
} works[] = {
    { "closed-loop", closed_loop, true },
    { "open-loop", open_loop, true },
    { "connect-each", connect_each, true },
    { "hold-idle", hold_idle, true },
    { "stream", stream_through, true },
    { "datagrams", datagrams, true },
    { "datagram-trains", datagram_trains, true },
    { "check", check_behaviour, false },
};

static const struct option known[] = { { "port", 1, 0, 'p' }, { "server", 1, 0, 's' }, { "connections", 1, 0, 'c' },
    { "active", 1, 0, 'a' }, { "depth", 1, 0, 'd' }, { "bytes", 1, 0, 'b' }, { "warm-up", 1, 0, 'w' }, { "seconds", 1, 0, 't' },
    { "rate", 1, 0, 'r' }, { "total", 1, 0, 'l' }, { 0 } };

static void wrong_usage(void)
{
    fputs("load: wrong usage; the first line of main.c says how\n", stderr);
    exit(2);
}

static struct options parse(int argc, char **argv)
{
    struct options options = { .connections = 1, .depth = 1, .bytes = LEAST_BYTES, .seconds = 1 };
    int letter;
    while ((letter = getopt_long(argc, argv, "", known, NULL)) != -1)
        switch (letter) {
        case 'p': options.port = atoi(optarg); break;
        case 's': options.server = atoi(optarg); break;
        case 'c': options.connections = atoi(optarg); break;
        case 'a': options.active = atoi(optarg); break;
        case 'd': options.depth = atoi(optarg); break;
        case 'b': options.bytes = atoi(optarg); break;
        case 'w': options.warm_up = atof(optarg); break;
        case 't': options.seconds = atof(optarg); break;
        case 'r': options.rate = atof(optarg); break;
        case 'l': options.total = strtoull(optarg, NULL, 10); break;
        default: wrong_usage();
        }
    if (options.active == 0)
        options.active = options.connections;
    if (optind != argc - 1 || options.port < 1 || options.connections < 1 || options.connections > MOST_CONNECTIONS || options.active < 1
        || options.active > options.connections || options.depth < 1 || options.bytes < LEAST_BYTES || options.bytes > MOST_BYTES)
        wrong_usage();
    return options;
}

int main(int argc, char **argv)
{
    struct options options = parse(argc, argv);
    question_prepare(options.bytes);
    for (size_t i = 0; i < sizeof works / sizeof *works; i++)
        if (strcmp(argv[optind], works[i].name) == 0) {
            works[i].work(&options);
            if (works[i].measures)
                measure_print();
            else
                puts("right");
            return 0;
        }
    wrong_usage();
}
