// Idle connections: connects more and more of them, asks once on each, and then holds them. Standard input says how many there should be,
// a number a line; when so many are held, the number is printed. At its end all are let go.
#include "load.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void ask_once(const struct options *options, uint32_t asker)
{
    static char line[MOST_BYTES];
    size_t bytes = (size_t)options->bytes;
    int door = open_connection(options, asker);
    question_write(line, asker, 0);
    if (send(door, line, bytes, MSG_NOSIGNAL) != (ssize_t)bytes)
        fail("send");
    if (recv(door, line, bytes, MSG_WAITALL) != (ssize_t)bytes)
        give_up("a connection was not answered");
    if (!question_check(line, 0, bytes, asker, 0))
        counts.wrong++;
}

void hold_idle(const struct options *options)
{
    measure_prepare(options);
    measure_from_here_to_the_end();
    char wanted[32];
    int held = 0;
    while (fgets(wanted, sizeof wanted, stdin) != NULL) {
        int count = atoi(wanted);
        if (count > MOST_CONNECTIONS)
            give_up("so many connections can't be held");
        for (; held < count; held++, counts.requests++)
            ask_once(options, (uint32_t)held);
        printf("%d\n", held);
        fflush(stdout);
    }
    measure_end();
}
