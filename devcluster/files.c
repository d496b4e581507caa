// SPDX-License-Identifier: MIT
/* Plain file I/O before the loop runs. */
#include "devcluster/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool failed(struct err *reterr, const char *what, const char *path)
{
    int number = errno;
    err_set(reterr, number == ENOENT ? ERR_MISSING : ERR_NOT_READY, __func__, "cannot %s %s: %s", what, path,
            strerror(number));
    if (reterr != NULL)
        reterr->code = number;
    return false;
}

static bool write_all(int fd, struct str bytes)
{
    while (bytes.n > 0) {
        ssize_t n = write(fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes = str_slice(bytes, (size_t)n, bytes.n);
    }
    return true;
}

bool files_write(const char *path, struct str bytes, struct err *reterr)
{
    struct arena *a = arena_new();
    const char *fresh = arena_printf(a, "%s.%ld.new", path, (long)getpid());
    bool is_written = false;
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd >= 0) {
        is_written = write_all(fd, bytes);
        is_written = close(fd) == 0 && is_written;
    }
    if (!is_written || rename(fresh, path) != 0) {
        is_written = failed(reterr, "write", path);
        (void)unlink(fresh);
    }
    arena_free(a);
    return is_written;
}

bool files_read(struct arena *a, const char *path, size_t ceiling_bytes, struct str *ret, struct err *reterr)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return failed(reterr, "open", path);
    char *bytes = arena_alloc(a, ceiling_bytes + 1);
    size_t n = 0;
    ssize_t got = 1;
    while (got > 0 && n <= ceiling_bytes) {
        got = read(fd, bytes + n, ceiling_bytes + 1 - n);
        if (got < 0 && errno == EINTR)
            got = 1;
        else if (got > 0)
            n += (size_t)got;
    }
    close(fd);
    if (got < 0)
        return failed(reterr, "read", path);
    if (n > ceiling_bytes)
        return err_set(reterr, ERR_TOO_LARGE, __func__, "%s is larger than %zu bytes", path, ceiling_bytes);
    *ret = (struct str){bytes, n};
    return true;
}

bool files_make_dir(const char *path, struct err *reterr)
{
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return true;
    return failed(reterr, "make the directory", path);
}
