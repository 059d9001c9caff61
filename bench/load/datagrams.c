// Datagrams in a closed loop: each socket has so many outstanding. Plain: each is sent as its own. Trains: those of a socket leave as one
// buffer that the kernel cuts (UDP_SEGMENT), when the whole train before has been answered, and come back joined (UDP_GRO). Datagrams may
// be lost, and come after they were given up: both are counted.
#define _GNU_SOURCE
#include "load.h"
#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { RING = 1 << 15, BATCH = 64, EVENTS = 64, GIVE_UP_MS = 200, LOOK_AROUND_MS = 20, BIGGEST = 65536 };
enum { ANSWERED, GIVEN_UP, FIRST_TIME }; // in place of the time it was asked

struct sender {
    int socket;
    uint32_t asker;
    uint64_t next, oldest; // numbers
    int outstanding;
    uint64_t since[RING];
};

static const struct options *options;
static bool trains;
static char outgoing[BIGGEST], incoming[BATCH][BIGGEST];
static uint64_t last_answer;

static void asked(struct sender *sender, int count)
{
    uint64_t time = now();
    for (int i = 0; i < count; i++)
        sender->since[(sender->next + (uint64_t)i) % RING] = time;
    sender->next += (uint64_t)count;
    sender->outstanding += count;
}

static void send_plain(struct sender *sender, int count)
{
    struct mmsghdr messages[BATCH] = { 0 };
    struct iovec pieces[BATCH];
    for (int i = 0; i < count; i++) {
        pieces[i] = (struct iovec){ outgoing + (size_t)i * (size_t)options->bytes, (size_t)options->bytes };
        question_write(pieces[i].iov_base, sender->asker, sender->next + (uint64_t)i);
        messages[i].msg_hdr = (struct msghdr){ .msg_iov = &pieces[i], .msg_iovlen = 1 };
    }
    int taken = sendmmsg(sender->socket, messages, (unsigned)count, 0);
    if (taken < 0 && errno != EAGAIN)
        fail("sendmmsg");
    if (taken > 0)
        asked(sender, taken);
}

static void send_train(struct sender *sender, int count)
{
    for (int i = 0; i < count; i++)
        question_write(outgoing + (size_t)i * (size_t)options->bytes, sender->asker, sender->next + (uint64_t)i);
    ssize_t taken = send(sender->socket, outgoing, (size_t)count * (size_t)options->bytes, 0);
    if (taken < 0 && errno != EAGAIN)
        fail("send a train");
    if (taken > 0)
        asked(sender, count);
}

static void ask_more(struct sender *sender)
{
    if (trains && sender->outstanding == 0)
        send_train(sender, options->depth);
    else if (!trains && sender->outstanding < options->depth)
        send_plain(sender, options->depth - sender->outstanding);
}

static void take_answer(struct sender *sender, const char *answer, size_t length)
{
    uint64_t number = length == (size_t)options->bytes ? question_number(answer) : UINT64_MAX;
    if (number >= sender->next || number + RING <= sender->next || !question_check(answer, 0, length, sender->asker, number)) {
        counts.wrong++;
        return;
    }
    uint64_t *since = &sender->since[number % RING];
    if (*since == ANSWERED) {
        counts.wrong++; // the second answer to one question
        return;
    }
    last_answer = now();
    if (*since == GIVEN_UP) {
        counts.late += measure_in_window();
    } else {
        measure_answer(*since);
        counts.bytes += measure_in_window() ? length : 0;
        sender->outstanding--;
    }
    *since = ANSWERED;
}

// How long the datagrams are that the kernel joined; the whole, if it joined none.
static size_t stride(struct msghdr *message, size_t length)
{
    for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control != NULL; control = CMSG_NXTHDR(message, control))
        if (control->cmsg_level == SOL_UDP && control->cmsg_type == UDP_GRO) {
            int size;
            memcpy(&size, CMSG_DATA(control), sizeof size);
            return (size_t)size;
        }
    return length;
}

static void receive(struct sender *sender)
{
    struct mmsghdr messages[BATCH];
    struct iovec pieces[BATCH];
    char controls[BATCH][CMSG_SPACE(sizeof(int))];
    for (int i = 0; i < BATCH; i++) {
        pieces[i] = (struct iovec){ incoming[i], BIGGEST };
        messages[i].msg_hdr = (struct msghdr){ .msg_iov = &pieces[i], .msg_iovlen = 1, .msg_control = trains ? controls[i] : NULL,
            .msg_controllen = trains ? sizeof controls[i] : 0 };
    }
    int count = recvmmsg(sender->socket, messages, BATCH, MSG_DONTWAIT, NULL);
    if (count < 0 && errno != EAGAIN)
        fail("recvmmsg");
    for (int i = 0; i < count; i++) {
        size_t length = messages[i].msg_len, each = stride(&messages[i].msg_hdr, length);
        for (size_t at = 0; at < length; at += each)
            take_answer(sender, incoming[i] + at, each < length - at ? each : length - at);
    }
}

static void give_up_old(struct sender *sender, uint64_t time)
{
    for (; sender->oldest < sender->next; sender->oldest++) {
        uint64_t *since = &sender->since[sender->oldest % RING];
        if (*since >= FIRST_TIME) {
            if (time - *since < (uint64_t)GIVE_UP_MS * 1000000)
                break;
            *since = GIVEN_UP;
            sender->outstanding--;
            counts.lost += measure_in_window();
        }
    }
    ask_more(sender);
}

static struct sender *open_senders(int epoll)
{
    struct sender *senders = calloc((size_t)options->connections, sizeof *senders);
    if (senders == NULL)
        fail("calloc");
    for (int i = 0; i < options->connections; i++) {
        int one = 1;
        struct sender *sender = &senders[i];
        sender->socket = open_datagram_socket(options);
        sender->asker = (uint32_t)i;
        if (trains
            && (setsockopt(sender->socket, SOL_UDP, UDP_SEGMENT, &options->bytes, sizeof options->bytes) < 0
                || setsockopt(sender->socket, SOL_UDP, UDP_GRO, &one, sizeof one) < 0))
            fail("UDP_SEGMENT and UDP_GRO");
        struct epoll_event change = { .events = EPOLLIN, .data.ptr = sender };
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, sender->socket, &change) < 0)
            fail("epoll_ctl");
    }
    return senders;
}

static void run(void)
{
    if (options->depth > BATCH || options->depth * options->bytes > BIGGEST)
        give_up("so many datagrams don't go at once");
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct sender *senders = open_senders(epoll);
    measure_prepare(options);
    uint64_t looked = last_answer = now();
    for (int i = 0; i < options->connections; i++)
        ask_more(&senders[i]);
    while (measure_running()) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll, events, EVENTS, LOOK_AROUND_MS);
        for (int i = 0; i < count; i++) {
            receive(events[i].data.ptr);
            ask_more(events[i].data.ptr);
        }
        uint64_t time = now();
        if (time - last_answer > (uint64_t)PATIENCE_MS * 1000000)
            give_up("no answer for 5 seconds");
        if (time - looked < (uint64_t)LOOK_AROUND_MS * 1000000)
            continue;
        looked = time;
        for (int i = 0; i < options->connections; i++)
            give_up_old(&senders[i], time);
    }
}

void datagrams(const struct options *given)
{
    options = given;
    run();
}

void datagram_trains(const struct options *given)
{
    options = given;
    trains = true;
    run();
}
