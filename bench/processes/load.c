// load PORT CONNECTIONS AT_ONCE: so many connections, so many of them at once, a request each; every answer is compared.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char ask[] = "the quick brown fox jumps over.\n", answer[] = "THE QUICK BROWN FOX JUMPS OVER.\n";
static int port, left, wrong;

static int converse(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((unsigned short)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    char reply[sizeof answer] = "";
    size_t got = 0;
    int door = socket(AF_INET, SOCK_STREAM, 0);
    if (door < 0 || connect(door, (struct sockaddr *)&address, sizeof address) < 0 || send(door, ask, sizeof ask - 1, 0) != sizeof ask - 1)
        return -1;
    while (got < sizeof answer - 1) {
        ssize_t more = recv(door, reply + got, sizeof answer - 1 - got, 0);
        if (more <= 0)
            break;
        got += (size_t)more;
    }
    close(door);
    return strcmp(reply, answer) == 0 ? 0 : -1;
}

static void *client(void *unused)
{
    while (__atomic_sub_fetch(&left, 1, __ATOMIC_RELAXED) >= 0)
        if (converse() < 0)
            __atomic_add_fetch(&wrong, 1, __ATOMIC_RELAXED);
    return unused;
}

int main(int argc, char **argv)
{
    pthread_t threads[256];
    if (argc != 4 || (port = atoi(argv[1])) == 0 || (left = atoi(argv[2])) == 0 || atoi(argv[3]) > 256)
        return 2;
    int at_once = atoi(argv[3]);
    for (int i = 0; i < at_once; i++)
        if (pthread_create(&threads[i], NULL, client, NULL) != 0)
            return 1;
    for (int i = 0; i < at_once; i++)
        pthread_join(threads[i], NULL);
    if (wrong > 0)
        fprintf(stderr, "%d connections without the right answer\n", wrong);
    return wrong > 0;
}
