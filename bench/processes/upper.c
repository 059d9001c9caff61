// The program that inetd-like servers run for each connection: standard input to standard output, capitalised, up to the end.
#include <ctype.h>
#include <unistd.h>

int main(void)
{
    static char buffer[4096];
    ssize_t count;
    while ((count = read(0, buffer, sizeof buffer)) > 0) {
        for (ssize_t i = 0; i < count; i++)
            buffer[i] = (char)toupper((unsigned char)buffer[i]);
        for (ssize_t sent = 0; sent < count;) {
            ssize_t more = write(1, buffer + sent, (size_t)(count - sent));
            if (more < 0)
                return 1;
            sent += more;
        }
        if (buffer[count - 1] == '\n')
            return 0;
    }
    return count < 0;
}
