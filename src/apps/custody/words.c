/* What is put on the screen and read from files that a person names. */
#include "apps/custody/app.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

void put_printable(struct cu_buf *out, struct cu_span bytes) { cu_text_printable(out, bytes); }

void put_short_id(struct cu_buf *out, const cu_hash *id)
{
    char hex[65];

    cu_hash_hex(id, hex);
    cu_buf_addf(out, "%.8s", hex);
}

/* 1,437,212,672 */
static void put_grouped(struct cu_buf *out, uint64_t n)
{
    if (n >= 1000) put_grouped(out, n / 1000);
    cu_buf_addf(out, n >= 1000 ? ",%03llu" : "%llu", (unsigned long long)(n % 1000));
}

void put_size(struct cu_buf *out, uint64_t bytes)
{
    static const char *const units[] = { "kB", "MB", "GB", "TB", "PB", "EB" };
    double shown = (double)bytes;
    int unit = -1;

    while (shown >= 1000 && unit < 5) shown /= 1000, unit++;
    if (unit < 0) cu_buf_addf(out, "%llu bytes", (unsigned long long)bytes);
    else {
        cu_buf_addf(out, "%.1f %s (", shown, units[unit]);
        put_grouped(out, bytes);
        cu_buf_add_str(out, " bytes)");
    }
}

#define WORDS_A_LINE 8
void put_network(struct cu_buf *out, const cu_hash *id, int indent)
{
    char hex[65];

    cu_hash_hex(id, hex);
    for (int i = 0; i < 64; i += 8) cu_buf_addf(out, "%s%.8s", i ? " " : "", hex + i);
    for (unsigned n = 0; n < CU_WORDS; n++) {
        if (n % WORDS_A_LINE == 0) cu_buf_addf(out, "\n%*s", indent, "");
        else cu_buf_add_byte(out, ' ');
        cu_buf_add(out, cu_word(id, n));
    }
    cu_buf_add_byte(out, '\n');
}

void put_items(struct cu_buf *out, uint64_t n)
{
    cu_buf_add_str(out, " in ");
    put_grouped(out, n);
    cu_buf_add_str(out, n == 1 ? " item" : " items");
}

void put_time(struct cu_buf *out, cu_unix_ms time)
{
    const time_t seconds = (time_t)(time.v / 1000);
    char utc[32], local[64];
    struct tm tm;

    cu_time_text(time, utc);
    cu_buf_add_str(out, utc);
    if (localtime_r(&seconds, &tm) && tm.tm_gmtoff != 0 && strftime(local, sizeof local, " (%Y-%m-%d %H:%M:%S %z)", &tm))
        cu_buf_add_str(out, local);
}

cu_status read_argument_file(const char *path, size_t max, struct cu_buf *ret, struct cu_err *err)
{
    const int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    uint8_t piece[65536];
    ssize_t n;

    if (fd < 0) return cu_posix_fail(err, errno, "read", path);
    while ((n = read(fd, piece, sizeof piece)) > 0 || (n < 0 && errno == EINTR))
        if (n > 0) cu_buf_add(ret, cu_span(piece, (size_t)n));
    const int number = errno;
    close(fd);
    if (n < 0) return cu_posix_fail(err, number, "read", path);
    if (ret->n > max || cu_buf_ok(ret, NULL) != CU_OK)
        return cu_fail(err, CU_TOO_LARGE, "%s is larger than %zu bytes", path, max);
    return CU_OK;
}

static cu_status write_all(int fd, struct cu_span bytes, const char *path, struct cu_err *err)
{
    while (bytes.n) {
        const ssize_t n = write(fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return cu_posix_fail(err, errno, "write", path);
        bytes = cu_span(bytes.p + n, bytes.n - (size_t)n);
    }
    return fsync(fd) == 0 || errno == EINVAL || errno == EROFS ? CU_OK : cu_posix_fail(err, errno, "sync", path);
}

static cu_status write_as(const char *path, struct cu_span bytes, mode_t mode, struct cu_err *err)
{
    char beside[4200];
    int fd;

    if (strcmp(path, "-") == 0)
        return fwrite(bytes.p, 1, bytes.n, stdout) == bytes.n ? CU_OK : cu_fail(err, CU_IO, "cannot write to standard output");
    snprintf(beside, sizeof beside, "%s.incoming", path);
    (void)unlink(beside);
    fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0) return cu_posix_fail(err, errno, "write", path);
    cu_status written = write_all(fd, bytes, path, err);
    close(fd);
    if (written == CU_OK && rename(beside, path) != 0) written = cu_posix_fail(err, errno, "write", path);
    if (written != CU_OK) unlink(beside);
    return written;
}

cu_status write_output_file(const char *path, struct cu_span bytes, struct cu_err *err)
{
    return write_as(path, bytes, 0666, err);
}
cu_status write_secret_file(const char *path, struct cu_span bytes, struct cu_err *err)
{
    return write_as(path, bytes, 0600, err);
}

cu_status duration_read(const char *what, const char *text, uint64_t *ret_ms, struct cu_err *err)
{
    static const struct {
        char unit;
        uint64_t ms;
    } units[] = { { 's', 1000 }, { 'm', 60000 }, { 'h', 3600000 }, { 'd', 86400000 } };
    const size_t n = strlen(text);
    uint64_t count;

    for (size_t i = 0; n > 1 && i < sizeof units / sizeof *units; i++)
        if (text[n - 1] == units[i].unit && cu_decimal_read(cu_span(text, n - 1), 100000, &count, NULL) == CU_OK && count > 0)
            return *ret_ms = count * units[i].ms, CU_OK;
    return cu_fail(err, CU_USAGE, "%s %s: a time is a number with its unit: 90s, 30m, 12h or 7d", what, text);
}

/* A day alone means its end. Without a zone it is local time. */
cu_status time_read(const char *what, const char *text, cu_unix_ms *ret, struct cu_err *err)
{
    struct tm tm = { .tm_isdst = -1 };
    const char *rest = strptime(text, "%Y-%m-%d", &tm);
    const bool day = rest && rest[0] != 'T', zoned = rest && (strchr(rest, 'Z') || strpbrk(rest, "+-"));
    time_t seconds = -1;

    if (rest && !day) rest = strptime(rest, "T%H:%M", &tm);
    if (rest && rest[0] == ':') rest = strptime(rest, ":%S", &tm);
    if (rest && zoned) rest = strptime(rest, "%z", &tm);
    if (rest && !rest[0]) {
        const long east = tm.tm_gmtoff;
        seconds = zoned ? timegm(&tm) - east : mktime(&tm);
    }
    ENSURE(seconds >= 0, err, CU_USAGE,
           "%s %s: a time is written 2026-12-01, 2026-12-01T17:00 or, with its zone, 2026-12-01T17:00+08:00", what, text);
    ret->v = ((uint64_t)seconds + (day ? 86400 : 0)) * 1000 - (day ? 1 : 0);
    return CU_OK;
}

cu_status number_read(const char *what, const char *text, uint64_t max, uint64_t *ret, struct cu_err *err)
{
    if (cu_decimal_read(cu_span_str(text), max, ret, NULL) == CU_OK) return CU_OK;
    return cu_fail(err, CU_USAGE, "%s %s: it is a decimal number, %llu at most", what, text, (unsigned long long)max);
}
