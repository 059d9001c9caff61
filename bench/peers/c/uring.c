// uring PORT [echo]: one thread on io_uring: multishot accept, multishot receive into a ring of provided buffers, and each answer sent from
// the buffer its lines came in.
#define _GNU_SOURCE
#include "capitalize.h"
#include <errno.h>
#include <liburing.h>

enum { MOST_SOCKETS = 1 << 16, BUFFERS = 1024, BUFFER_BYTES = 16384, GROUP = 0, ENTRIES = 1024 };
enum operation { ACCEPT, RECEIVE, SEND, CLOSE };

// An answer on its way: in a provided buffer, or in memory of its own.
struct piece {
    struct piece *next;
    char *bytes;
    size_t length, sent;
    int buffer; // -1: its own memory
};

struct connection {
    struct text unfinished;
    struct piece *first, *last; // one send at a time, so that answers keep their order
    bool ended;                 // no receive is armed any more
};

static struct connection connections[MOST_SOCKETS];
static struct piece pieces[BUFFERS];
static struct io_uring ring;
static struct io_uring_buf_ring *provided;
static char *buffers;
static int given_back;
static bool echo;

static struct io_uring_sqe *submission(enum operation operation, int socket)
{
    struct io_uring_sqe *entry = io_uring_get_sqe(&ring);
    if (entry == NULL) {
        io_uring_submit(&ring);
        entry = io_uring_get_sqe(&ring);
    }
    entry->user_data = (unsigned long long)operation << 32 | (unsigned)socket;
    return entry;
}

// The prep calls of liburing set all but user_data.
#define SUBMIT(operation, socket, prepare, ...)                                                                                            \
    do {                                                                                                                                   \
        struct io_uring_sqe *entry = submission(operation, socket);                                                                        \
        unsigned long long user_data = entry->user_data;                                                                                   \
        prepare(entry, __VA_ARGS__);                                                                                                       \
        entry->user_data = user_data;                                                                                                      \
    } while (0)

static void give_back(int buffer)
{
    io_uring_buf_ring_add(provided, buffers + (size_t)buffer * BUFFER_BYTES, BUFFER_BYTES, (unsigned short)buffer,
        io_uring_buf_ring_mask(BUFFERS), given_back++);
}

static void receive(int socket)
{
    struct io_uring_sqe *entry = submission(RECEIVE, socket);
    unsigned long long user_data = entry->user_data;
    io_uring_prep_recv_multishot(entry, socket, NULL, 0, 0);
    entry->flags |= IOSQE_BUFFER_SELECT;
    entry->buf_group = GROUP;
    entry->user_data = user_data;
}

static void send_first(int socket)
{
    struct piece *piece = connections[socket].first;
    SUBMIT(SEND, socket, io_uring_prep_send, socket, piece->bytes + piece->sent, piece->length - piece->sent, MSG_NOSIGNAL);
}

static void release(struct piece *piece)
{
    if (piece->buffer >= 0) {
        give_back(piece->buffer);
    } else {
        free(piece->bytes);
        free(piece);
    }
}

static void answer(int socket, struct piece *piece)
{
    struct connection *connection = &connections[socket];
    piece->next = NULL;
    piece->sent = 0;
    if (connection->first != NULL) {
        connection->last = connection->last->next = piece;
        return;
    }
    connection->first = connection->last = piece;
    send_first(socket);
}

static void answer_unfinished(int socket)
{
    struct piece *piece = malloc(sizeof *piece);
    if (piece == NULL)
        die("malloc");
    struct text *text = &connections[socket].unfinished;
    capitalize(text->bytes, text->length);
    *piece = (struct piece){ .bytes = text->bytes, .length = text->length, .buffer = -1 };
    *text = (struct text){ 0 };
    answer(socket, piece);
}

static void received(int socket, int buffer, size_t length)
{
    struct text *unfinished = &connections[socket].unfinished;
    char *bytes = buffers + (size_t)buffer * BUFFER_BYTES;
    size_t whole = echo ? length : whole_lines(bytes, length);
    if (whole > 0 && unfinished->length == 0) {
        // The common case: nothing is copied, and the buffer is given back when the answer has been sent.
        append(unfinished, bytes + whole, length - whole);
        if (!echo)
            capitalize(bytes, whole);
        pieces[buffer] = (struct piece){ .bytes = bytes, .length = whole, .buffer = buffer };
        answer(socket, &pieces[buffer]);
        return;
    }
    append(unfinished, bytes, whole > 0 ? whole : length);
    if (whole > 0) {
        answer_unfinished(socket);
        append(unfinished, bytes + whole, length - whole);
    } else if (unfinished->length > MOST_UNFINISHED) {
        shutdown(socket, SHUT_RDWR);
    }
    give_back(buffer);
}

static void end_if_done(int socket)
{
    struct connection *connection = &connections[socket];
    if (!connection->ended || connection->first != NULL)
        return;
    empty(&connection->unfinished);
    connection->ended = false;
    SUBMIT(CLOSE, socket, io_uring_prep_close, socket);
}

static void receive_completed(int socket, int result, unsigned flags)
{
    if (result > 0)
        received(socket, (int)(flags >> IORING_CQE_BUFFER_SHIFT), (size_t)result);
    if ((flags & IORING_CQE_F_MORE) != 0)
        return;
    if (result > 0 || result == -ENOBUFS) {
        receive(socket);
        return;
    }
    connections[socket].ended = true;
    if (result == 0 && connections[socket].unfinished.length > 0)
        answer_unfinished(socket);
    end_if_done(socket);
}

static void send_completed(int socket, int result)
{
    struct connection *connection = &connections[socket];
    struct piece *piece = connection->first;
    if (result >= 0 && (piece->sent += (size_t)result) < piece->length) {
        send_first(socket);
        return;
    }
    if (result < 0) {
        // The peer is gone: the armed receive ends too, and then the connection.
        shutdown(socket, SHUT_RDWR);
        for (struct piece *rest = piece->next; rest != NULL;) {
            struct piece *next = rest->next;
            release(rest);
            rest = next;
        }
        piece->next = NULL;
    }
    connection->first = piece->next;
    release(piece);
    if (connection->first != NULL)
        send_first(socket);
    else
        end_if_done(socket);
}

static void accept_all(int listener)
{
    SUBMIT(ACCEPT, listener, io_uring_prep_multishot_accept, listener, NULL, NULL, SOCK_CLOEXEC);
}

static void completed(int listener, const struct io_uring_cqe *completion)
{
    int socket = (int)(unsigned)completion->user_data;
    switch ((enum operation)(completion->user_data >> 32)) {
    case ACCEPT:
        if (completion->res >= 0)
            receive(completion->res);
        else if (completion->res != -ECONNABORTED && completion->res != -EINTR) {
            errno = -completion->res;
            die("accept");
        }
        if ((completion->flags & IORING_CQE_F_MORE) == 0)
            accept_all(listener);
        break;
    case RECEIVE:
        receive_completed(socket, completion->res, completion->flags);
        break;
    case SEND:
        send_completed(socket, completion->res);
        break;
    case CLOSE:
        break;
    }
}

static void set_up(void)
{
    struct io_uring_params parameters = { .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE,
        .cq_entries = 16 * ENTRIES };
    int result = io_uring_queue_init_params(ENTRIES, &ring, &parameters);
    struct io_uring_buf_reg registration = { .ring_entries = BUFFERS, .bgid = GROUP };
    if (result == 0
        && (posix_memalign((void **)&provided, 4096, BUFFERS * sizeof(struct io_uring_buf)) != 0
            || posix_memalign((void **)&buffers, 4096, (size_t)BUFFERS * BUFFER_BYTES) != 0))
        result = -ENOMEM;
    if (result == 0) {
        registration.ring_addr = (unsigned long)provided;
        io_uring_buf_ring_init(provided);
        result = io_uring_register_buf_ring(&ring, &registration, 0);
    }
    if (result < 0) {
        errno = -result;
        die("io_uring");
    }
    for (int buffer = 0; buffer < BUFFERS; buffer++)
        give_back(buffer);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    echo = argc > 2 && strcmp(argv[2], "echo") == 0;
    set_up();
    int listener = open_server(SOCK_STREAM, argv[1]);
    accept_all(listener);
    for (;;) {
        io_uring_buf_ring_advance(provided, given_back);
        given_back = 0;
        int result = io_uring_submit_and_wait(&ring, 1);
        if (result < 0 && result != -EINTR && result != -EBUSY) {
            errno = -result;
            die("io_uring_enter");
        }
        struct io_uring_cqe *completion;
        unsigned head, count = 0;
        io_uring_for_each_cqe(&ring, head, completion)
        {
            completed(listener, completion);
            count++;
        }
        io_uring_cq_advance(&ring, count);
    }
}
