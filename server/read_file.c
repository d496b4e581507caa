// SPDX-License-Identifier: MIT
/* Reads configuration files; see the header. */
#include "server/read_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool fail(struct err *reterr, const char *path)
{
    int code = errno;
    bool is_missing = code == ENOENT || code == ENOTDIR;
    err_set(reterr, is_missing ? ERR_MISSING : ERR_INVALID, __func__, "%s: %s", path, strerror(code));
    if (reterr != NULL)
        reterr->code = code;
    return false;
}

static bool read_all(int fd, const char *path, struct buf *out, struct err *reterr)
{
    char piece[4096];
    for (;;) {
        ssize_t n = read(fd, piece, sizeof(piece));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail(reterr, path);
        if (n == 0)
            break;
        buf_add(out, piece, (size_t)n);
        if (out->is_over)
            return err_set(reterr, ERR_TOO_LARGE, __func__, "%s: longer than %zu bytes", path, out->ceiling_bytes);
    }
    explicit_bzero(piece, sizeof(piece));
    return true;
}

bool read_file(const char *path, struct buf *out, struct err *reterr)
{
    struct stat st;
    /* O_NONBLOCK: opening a FIFO must not hang the process. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return fail(reterr, path);
    bool is_read = false;
    if (fstat(fd, &st) != 0)
        fail(reterr, path);
    else if (!S_ISREG(st.st_mode))
        err_set(reterr, ERR_INVALID, __func__, "%s: not a file", path);
    else
        is_read = read_all(fd, path, out, reterr);
    close(fd);
    return is_read;
}
