// SPDX-License-Identifier: MIT
/* Runs a fuzz harness once over every file of the folders named as arguments; a folder that is not there is empty. Used
 * where the compiler has no libFuzzer and by the test suite. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { REPLAY_MAX_BYTES = 4 * 1024 * 1024 };

static unsigned replay_file(const char *folder, const char *name)
{
    char path[4096];
    int n = snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = n > 0 && (size_t)n < sizeof(path) ? fopen(path, "rb") : NULL;
    if (file == NULL)
        return 0;
    uint8_t *bytes = malloc(REPLAY_MAX_BYTES);
    size_t size = bytes != NULL ? fread(bytes, 1, REPLAY_MAX_BYTES, file) : 0;
    fclose(file);
    if (bytes == NULL)
        abort();
    /* A copy of exactly the right size lets AddressSanitizer see a read past the end. */
    uint8_t *exact = malloc(size > 0 ? size : 1);
    if (exact == NULL)
        abort();
    for (size_t i = 0; i < size; i++)
        exact[i] = bytes[i];
    free(bytes);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
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
