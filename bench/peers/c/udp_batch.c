// udp_batch PORT [trains]: recvmmsg and sendmmsg, up to 64 datagrams at a time; with trains, those that came joined (UDP_GRO) are answered
// joined (UDP_SEGMENT).
#define _GNU_SOURCE
#include "capitalize.h"
#include <errno.h>
#include <netinet/udp.h>

enum { BATCH = 64, BIGGEST = 65536 };

static char buffers[BATCH][BIGGEST], controls[BATCH][CMSG_SPACE(sizeof(int))];
static struct sockaddr_in peers[BATCH];
static struct iovec pieces[BATCH];
static struct mmsghdr messages[BATCH];
static bool trains;

static void make_ready(int i)
{
    pieces[i] = (struct iovec){ buffers[i], BIGGEST };
    messages[i].msg_hdr = (struct msghdr){ .msg_name = &peers[i], .msg_namelen = sizeof peers[i], .msg_iov = &pieces[i], .msg_iovlen = 1,
        .msg_control = trains ? controls[i] : NULL, .msg_controllen = trains ? sizeof controls[i] : 0 };
}

// Turns a message that was received into its answer.
static void make_answer(int i)
{
    struct msghdr *message = &messages[i].msg_hdr;
    capitalize(buffers[i], messages[i].msg_len);
    pieces[i].iov_len = messages[i].msg_len;
    struct cmsghdr *control = trains ? CMSG_FIRSTHDR(message) : NULL;
    if (control == NULL || control->cmsg_type != UDP_GRO) {
        message->msg_control = NULL;
        message->msg_controllen = 0;
        return;
    }
    int stride;
    memcpy(&stride, CMSG_DATA(control), sizeof stride);
    *control = (struct cmsghdr){ .cmsg_level = SOL_UDP, .cmsg_type = UDP_SEGMENT, .cmsg_len = CMSG_LEN(sizeof(uint16_t)) };
    memcpy(CMSG_DATA(control), &(uint16_t){ (uint16_t)stride }, sizeof(uint16_t));
    message->msg_controllen = CMSG_SPACE(sizeof(uint16_t));
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    trains = argc > 2 && strcmp(argv[2], "trains") == 0;
    int one = 1, server = open_server(SOCK_DGRAM, argv[1]);
    if (trains && setsockopt(server, SOL_UDP, UDP_GRO, &one, sizeof one) < 0)
        die("UDP_GRO");
    for (int i = 0; i < BATCH; i++)
        make_ready(i);
    for (;;) {
        int count = recvmmsg(server, messages, BATCH, MSG_WAITFORONE, NULL);
        if (count < 0) {
            if (errno == EINTR || errno == ECONNREFUSED)
                continue;
            die("recvmmsg");
        }
        for (int i = 0; i < count; i++)
            make_answer(i);
        for (int sent = 0; sent < count;) {
            int taken = sendmmsg(server, messages + sent, (unsigned)(count - sent), 0);
            sent += taken > 0 ? taken : 1; // what can't be sent is lost, as datagrams may be
        }
        for (int i = 0; i < count; i++)
            make_ready(i);
    }
}
