// SPDX-License-Identifier: MIT
/* Checks of names that come from people, and the drawing of names for the cluster. */
#include "core/names.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/base/codec.h"
#include "core/base/wall.h"

static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
static const char letters_digits[] = "abcdefghijklmnopqrstuvwxyz0123456789";
enum { SUFFIX_N = 6, HOST_LABEL_N = 12 };

static bool is_control(struct str s, size_t i)
{
    unsigned char c = (unsigned char)s.p[i];
    /* C1 controls are U+0080 to U+009F: C2 80 to C2 9F. */
    bool is_c1 = c == 0xC2 && i + 1 < s.n && (unsigned char)s.p[i + 1] < 0xA0;
    return c < 0x20 || c == 0x7F || is_c1;
}

bool names_check_project(struct str name, struct err *reterr)
{
    if (name.n == 0 || str_trim(name).n == 0)
        return err_set_field(reterr, ERR_INVALID, __func__, "/name", "name must not be empty");
    if (!str_is_utf8(name))
        return err_set_field(reterr, ERR_INVALID, __func__, "/name", "name must be UTF-8");
    size_t characters = 0;
    for (size_t i = 0; i < name.n; i++) {
        if (is_control(name, i))
            return err_set_field(reterr, ERR_INVALID, __func__, "/name", "name must not hold control characters");
        characters += ((unsigned char)name.p[i] & 0xC0) != 0x80;
    }
    if (characters > PROJECT_NAME_MAX_CHARACTERS)
        return err_set_field(reterr, ERR_INVALID, __func__, "/name", "name must have at most %d characters",
                             PROJECT_NAME_MAX_CHARACTERS);
    return true;
}

static bool is_letter_or_underscore(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool names_check_env_key(struct str key, const char *field, struct err *reterr)
{
    bool is_ok = key.n > 0 && key.n <= ENV_KEY_MAX_BYTES && is_letter_or_underscore(key.p[0]);
    for (size_t i = 0; is_ok && i < key.n; i++)
        is_ok = is_letter_or_underscore(key.p[i]) || is_digit(key.p[i]);
    if (!is_ok)
        return err_set_field(reterr, ERR_INVALID, __func__, field,
                             "a variable's name must match [A-Za-z_][A-Za-z0-9_]* and have at most %d characters",
                             ENV_KEY_MAX_BYTES);
    return true;
}

bool names_check_env_value(struct str value, const char *field, struct err *reterr)
{
    if (value.n > ENV_VALUE_MAX_BYTES)
        return err_set_field(reterr, ERR_INVALID, __func__, field, "a variable's value must have at most %d bytes",
                             ENV_VALUE_MAX_BYTES);
    if (value.n > 0 && memchr(value.p, '\0', value.n) != NULL)
        return err_set_field(reterr, ERR_INVALID, __func__, field, "a variable's value must not hold NUL");
    if (!str_is_utf8(value))
        return err_set_field(reterr, ERR_INVALID, __func__, field, "a variable's value must be UTF-8");
    return true;
}

void names_slug(struct str project_name, char ret[SLUG_SIZE])
{
    size_t n = 0;
    for (size_t i = 0; i < project_name.n && n < SLUG_SIZE - 1; i++) {
        char c = project_name.p[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        bool is_inner_hyphen = c == '-' && n > 0;
        if (is_digit(c) && n == 0)
            ret[n++] = 'p'; /* a DNS-1035 name begins with a letter */
        if ((c >= 'a' && c <= 'z') || is_digit(c) || is_inner_hyphen)
            ret[n++] = c;
    }
    while (n > 0 && ret[n - 1] == '-')
        n--;
    ret[n] = '\0';
    if (n == 0)
        memcpy(ret, "project", sizeof("project"));
}

#define DRAWN_MIDDLE "-agentruntime-"

bool names_is_id(struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '-'))
            return false;
    }
    return text.n > 0 && text.n < ID_SIZE;
}

bool names_is_drawn(struct str name)
{
    const size_t end_n = sizeof(DRAWN_MIDDLE) - 1 + SUFFIX_N;
    struct str end = str_slice(name, name.n - (name.n > end_n ? end_n : name.n), name.n);
    bool is_drawn = name.n > end_n && str_starts(end, STR(DRAWN_MIDDLE));
    for (size_t i = end_n - SUFFIX_N; is_drawn && i < end_n; i++)
        is_drawn = is_digit(end.p[i]) || (end.p[i] >= 'a' && end.p[i] <= 'z');
    return is_drawn;
}

static void draw_name(const char *slug, char *ret, size_t size)
{
    char suffix[SUFFIX_N + 1];
    codec_random_text(suffix, SUFFIX_N, letters_digits);
    struct buf b;
    buf_init(&b, size);
    buf_addf(&b, "%s" DRAWN_MIDDLE "%s", slug, suffix);
    if (!str_copy(buf_str(&b), ret, size))
        ret[0] = '\0';
    buf_fini(&b);
}

static void draw_host(const char *domain, char label[HOST_LABEL_SIZE], char host[HOST_SIZE])
{
    codec_random_text(label, HOST_LABEL_N, letters);
    struct buf b;
    buf_init(&b, HOST_SIZE);
    buf_addf(&b, "%s.%s", label, domain);
    if (!str_copy(buf_str(&b), host, HOST_SIZE))
        host[0] = '\0';
    buf_fini(&b);
}

void names_draw(struct sandbox *sb, struct str project_name, const struct names_settings *settings, int64_t wall_ms)
{
    names_slug(project_name, sb->slug);
    draw_name(sb->slug, sb->name, sizeof(sb->name));
    draw_name(sb->slug, sb->database_name, sizeof(sb->database_name));
    draw_host(settings->domain, sb->app_label, sb->app_host);
    draw_host(settings->domain, sb->tty_label, sb->tty_host);
    for (size_t i = 0; i < SANDBOX_PORT_N; i++)
        codec_random_text(sb->port_names[i], HOST_LABEL_N, letters);
    wall_format_compact(wall_ms, sb->restart_time);
    sb->kinds = settings->kinds;
    if (!str_copy(str_from(settings->namespace_name), sb->namespace_name, sizeof(sb->namespace_name)))
        sb->namespace_name[0] = '\0';
    if (!str_copy(str_from(settings->image), sb->image, sizeof(sb->image)))
        sb->image[0] = '\0';
}
