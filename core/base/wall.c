// SPDX-License-Identifier: MIT
/* Wall time to text and back, in UTC, without libc's calendar (no locale, no time zone, no static buffers). */
#include "core/base/wall.h"

enum { DAY_MS = 24 * 60 * 60 * 1000, DAYS_TO_1970 = 719468 };

#define FIRST_MS (-INT64_C(62167219200000)) /* 0000-01-01T00:00:00.000Z */
#define LAST_MS  INT64_C(253402300799999)   /* 9999-12-31T23:59:59.999Z */

struct moment {
    int year, month, day, hour, minute, second, ms;
};

/* Both ways between days since 1970 and a Gregorian date, by Howard Hinnant's "chrono-Compatible Low-Level Date
 * Algorithms": years begin in March, so the leap day is the last; an era is 400 years of 146097 days. */
static int64_t days_from_date(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - DAYS_TO_1970;
}

static void date_from_days(int64_t days, struct moment *ret)
{
    days += DAYS_TO_1970;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    ret->day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
    ret->month = (int)(month < 10 ? month + 3 : month - 9);
    ret->year = (int)(year_of_era + era * 400 + (ret->month <= 2));
}

/* Times outside of the years 0000 to 9999 have no RFC 3339 text; the nearest one is taken. */
static struct moment moment_from_ms(int64_t wall_ms)
{
    if (wall_ms < FIRST_MS)
        wall_ms = FIRST_MS;
    if (wall_ms > LAST_MS)
        wall_ms = LAST_MS;
    int64_t days = wall_ms / DAY_MS;
    int64_t in_day = wall_ms % DAY_MS;
    if (in_day < 0) {
        in_day += DAY_MS;
        days--;
    }
    struct moment m = {0};
    date_from_days(days, &m);
    m.hour = (int)(in_day / 3600000);
    m.minute = (int)(in_day / 60000 % 60);
    m.second = (int)(in_day / 1000 % 60);
    m.ms = (int)(in_day % 1000);
    return m;
}

static char *put(char *p, int value, int digits)
{
    for (int i = digits - 1; i >= 0; i--) {
        p[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return p + digits;
}

static char *put_sep(char *p, int value, int digits, char sep)
{
    p = put(p, value, digits);
    *p = sep;
    return p + 1;
}

void wall_format(int64_t wall_ms, char ret[WALL_TEXT_SIZE])
{
    struct moment m = moment_from_ms(wall_ms);
    char *p = put_sep(ret, m.year, 4, '-');
    p = put_sep(p, m.month, 2, '-');
    p = put_sep(p, m.day, 2, 'T');
    p = put_sep(p, m.hour, 2, ':');
    p = put_sep(p, m.minute, 2, ':');
    p = put_sep(p, m.second, 2, '.');
    p = put_sep(p, m.ms, 3, 'Z');
    *p = '\0';
}

void wall_format_compact(int64_t wall_ms, char ret[15])
{
    struct moment m = moment_from_ms(wall_ms);
    char *p = put(ret, m.year, 4);
    p = put(p, m.month, 2);
    p = put(p, m.day, 2);
    p = put(p, m.hour, 2);
    p = put(p, m.minute, 2);
    p = put(p, m.second, 2);
    *p = '\0';
}

/* Takes exactly `digits` digits, and the byte `sep` after them unless it is 0, off the front. */
static bool take_number(struct str *s, size_t digits, char sep, int *ret)
{
    size_t n = digits + (sep != 0 ? 1 : 0);
    if (s->n < n || (sep != 0 && s->p[digits] != sep))
        return false;
    uint64_t value = 0;
    if (!str_parse_u64(str_slice(*s, 0, digits), 9999, &value))
        return false;
    *ret = (int)value;
    *s = str_slice(*s, n, s->n);
    return true;
}

static bool take_fraction(struct str *s, int *ret_ms)
{
    *ret_ms = 0;
    if (s->n == 0 || s->p[0] != '.')
        return true;
    int weight = 100;
    size_t i = 1;
    for (; i < s->n && s->p[i] >= '0' && s->p[i] <= '9'; i++) {
        *ret_ms += (s->p[i] - '0') * weight;
        weight /= 10;
    }
    *s = str_slice(*s, i, s->n);
    return i > 1;
}

/* "Z" or "+hh:mm"; must be all that is left. */
static bool take_offset(struct str s, int *ret_minutes)
{
    *ret_minutes = 0;
    if (s.n == 1 && (s.p[0] == 'Z' || s.p[0] == 'z'))
        return true;
    if (s.n != 6 || (s.p[0] != '+' && s.p[0] != '-'))
        return false;
    int sign = s.p[0] == '-' ? -1 : 1;
    int hours = 0;
    int minutes = 0;
    s = str_slice(s, 1, s.n);
    if (!take_number(&s, 2, ':', &hours) || !take_number(&s, 2, 0, &minutes) || hours > 23 || minutes > 59)
        return false;
    *ret_minutes = sign * (hours * 60 + minutes);
    return true;
}

static bool is_in_calendar(const struct moment *m)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (m->month < 1 || m->month > 12 || m->day < 1 || m->hour > 23 || m->minute > 59)
        return false;
    if (m->second > 60 || (m->second == 60 && m->minute != 59)) /* 60: a leap second, counted as the next one */
        return false;
    bool is_leap = (m->year % 4 == 0 && m->year % 100 != 0) || m->year % 400 == 0;
    return m->day <= days[m->month - 1] + (m->month == 2 && is_leap ? 1 : 0);
}

static bool take_date_and_time(struct str *s, struct moment *ret)
{
    return take_number(s, 4, '-', &ret->year) && take_number(s, 2, '-', &ret->month) &&
           (take_number(s, 2, 'T', &ret->day) || take_number(s, 2, 't', &ret->day)) &&
           take_number(s, 2, ':', &ret->hour) && take_number(s, 2, ':', &ret->minute) &&
           take_number(s, 2, 0, &ret->second) && take_fraction(s, &ret->ms);
}

bool wall_parse(struct str text, int64_t *ret_wall_ms)
{
    struct moment m = {0};
    int offset_minutes = 0;
    if (!take_date_and_time(&text, &m) || !take_offset(text, &offset_minutes) || !is_in_calendar(&m))
        return false;
    int64_t seconds = (m.hour * 60 + m.minute - offset_minutes) * 60 + m.second;
    *ret_wall_ms = days_from_date(m.year, m.month, m.day) * DAY_MS + seconds * 1000 + m.ms;
    return true;
}
