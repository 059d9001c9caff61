// The lines that are asked. Each is different from all others, so that no answer can be taken for another's: who asks and the how manieth
// it is stand in it as letters, which a server has to capitalise too.
#include "load.h"
#include <string.h>

enum { ASKER = 4, ASKER_LETTERS = 5, NUMBER = 14, NUMBER_LETTERS = 16, HEAD = NUMBER + NUMBER_LETTERS };

static const char head[HEAD + 1] = "ask_aaaaa no. aaaaaaaaaaaaaaaa";
static char line[MOST_BYTES], capitals[MOST_BYTES];
static size_t line_bytes;

static void write_letters(char *to, int letters, uint64_t number, char first)
{
    for (int i = 0; i < letters; i++)
        to[i] = (char)(first + (char)(number >> (4 * i) & 15));
}

void question_prepare(int bytes)
{
    static const char filler[] = "the quick brown fox jumps over the lazy dog, 0123456789 times; ";
    line_bytes = (size_t)bytes;
    for (size_t i = 0; i < line_bytes; i++) {
        line[i] = i == line_bytes - 1 ? '\n' : i < HEAD ? head[i] : filler[i % (sizeof filler - 1)];
        capitals[i] = (char)(line[i] >= 'a' && line[i] <= 'z' ? line[i] - 32 : line[i]);
    }
}

void question_write(char *to, uint32_t asker, uint64_t number)
{
    memcpy(to, line, line_bytes);
    write_letters(to + ASKER, ASKER_LETTERS, asker, 'a');
    write_letters(to + NUMBER, NUMBER_LETTERS, number, 'a');
}

// Whether these are the answer's bytes from offset on.
bool question_check(const char *answer, size_t offset, size_t length, uint32_t asker, uint64_t number)
{
    size_t in_head = offset >= HEAD ? 0 : (length < HEAD - offset ? length : HEAD - offset);
    if (in_head > 0) {
        char expected[HEAD];
        memcpy(expected, capitals, HEAD);
        write_letters(expected + ASKER, ASKER_LETTERS, asker, 'A');
        write_letters(expected + NUMBER, NUMBER_LETTERS, number, 'A');
        if (memcmp(answer, expected + offset, in_head) != 0)
            return false;
    }
    return memcmp(answer + in_head, capitals + offset + in_head, length - in_head) == 0;
}

// Which line this is the answer to.
uint64_t question_number(const char *answer)
{
    uint64_t number = 0;
    for (int i = 0; i < NUMBER_LETTERS; i++)
        number |= (uint64_t)(unsigned char)((answer[NUMBER + i] - 'A') & 15) << (4 * i);
    return number;
}
