/* The table of outcomes, looked up; sentences built; bugs reported. */
#include "custody/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct row {
    const char *name, *text, *zh;
    int http, exit_code, retry;
};

#define NO 0
#define YES 1
#define ROW(num, name, http, code, retry, text, zh) [num] = { #name, text, zh, http, code, retry },
static const struct row rows[] = { CU_STATUS_TABLE(ROW) };
#undef ROW
#undef NO
#undef YES

/* A number outside the table is answered like an unknown failure of our own, never like success. */
static const struct row unknown = { "UNKNOWN", "an outcome that this version does not know", "本版本不认识的结果", 500, 1, 0 };

static const struct row *row_of(cu_status status)
{
    size_t i = (size_t)status;
    return i < sizeof rows / sizeof *rows && rows[i].name ? &rows[i] : &unknown;
}

const char *cu_status_name(cu_status status) { return row_of(status)->name; }
const char *cu_status_text(cu_status status) { return row_of(status)->text; }
const char *cu_status_text_zh(cu_status status) { return row_of(status)->zh; }
int cu_status_http(cu_status status) { return row_of(status)->http; }
int cu_status_exit(cu_status status) { return row_of(status)->exit_code; }
int cu_status_retry(cu_status status) { return row_of(status)->retry; }

/* Cut at its size. */
static void put_text(struct cu_err *err, const char *fmt, va_list args) CU_PRINTF(2, 0);
static void put_text(struct cu_err *err, const char *fmt, va_list args)
{
    err->text[0] = '\0';
    (void)vsnprintf(err->text, sizeof err->text, fmt, args);
    err->text[sizeof err->text - 1] = '\0';
}

cu_status cu_fail(struct cu_err *err, cu_status status, const char *fmt, ...)
{
    if (!err) return status;
    va_list args;
    va_start(args, fmt);
    put_text(err, fmt, args);
    va_end(args);
    return err->status = status;
}

cu_status cu_fail_while(struct cu_err *err, cu_status status, const char *fmt, ...)
{
    if (!err) return status;
    char said[sizeof err->text];
    memcpy(said, err->text, sizeof said);
    said[sizeof said - 1] = '\0';

    va_list args;
    va_start(args, fmt);
    put_text(err, fmt, args);
    va_end(args);
    size_t at = strlen(err->text);
    (void)snprintf(err->text + at, sizeof err->text - at, ": %s", said);
    return err->status = status;
}

_Noreturn void cu_bug(const char *expr, const char *file, int line)
{
    fprintf(stderr, "custody: bug: %s does not hold at %s:%d\n", expr, file, line);
    abort();
}
