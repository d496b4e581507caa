// SPDX-License-Identifier: MIT
/* Runs a fuzz harness once over every file of the folders named as arguments; a folder that is not there is empty. Used
 * where the compiler has no libFuzzer and by the test suite. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/arena.h"
#include "core/base/xmem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { REPLAY_MAX_BYTES = 4 * 1024 * 1024 };

static unsigned replay_file(const char *folder, const char *name)
{
    struct arena *arena = arena_new();
    FILE *file = fopen(arena_printf(arena, "%s/%s", folder, name), "rb");
    arena_free(arena);
    if (file == NULL)
        return 0;
    uint8_t *bytes = xmalloc(REPLAY_MAX_BYTES);
    size_t size = fread(bytes, 1, REPLAY_MAX_BYTES, file);
    fclose(file);
    /* Shrunk to the right size, so that AddressSanitizer sees a read past the end. */
    bytes = xrealloc(bytes, size);
    LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    return 1;
}

int main(int argc, char **argv)
{
    unsigned files = 0;
    for (int i = 1; i < argc; i++) {
        DIR *dir = opendir(argv[i]);
        if (dir == NULL)
            continue;
        for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
            if (entry->d_name[0] != '.')
                files += replay_file(argv[i], entry->d_name);
        }
        closedir(dir);
    }
    printf("%u inputs replayed\n", files);
    return files > 0 ? 0 : 1;
}
