/* Where a bucket is, and how it is spoken to: one line, which the ledger keeps. No secret can stand in it. */
#include "adapters/s3/s3.h"
#include "custody/text.h"

#include <stdio.h>

static bool all_of(struct cu_span text, const char *more)
{
    for (size_t i = 0; i < text.n; i++) {
        const uint8_t c = text.p[i];
        const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!plain && (c == 0 || !strchr(more, c))) return false;
    }
    return true;
}

#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

static cu_status keep(struct cu_span text, const char *what, char *ret, size_t max, struct cu_err *err)
{
    ENSURE(text.n < max, err, CU_USAGE, "the %s of the bucket is too long", what);
    memcpy(ret, text.p, text.n);
    ret[text.n] = 0;
    return CU_OK;
}

static cu_status keep_bucket(struct cu_span text, struct cu_s3_address *a, struct cu_err *err)
{
    ENSURE(text.n >= 3 && text.n < sizeof a->bucket && all_of(text, ".-") && text.p[0] != '.' && text.p[0] != '-', err, CU_USAGE,
           "%.*s is not a bucket's name: 3 to 63 small letters, digits, dots and hyphens", (int)text.n, (const char *)text.p);
    return keep(text, "name", a->bucket, sizeof a->bucket, err);
}

/* Each part is plain: what is signed and what is sent cannot differ in spelling. */
static cu_status keep_prefix(struct cu_span text, struct cu_s3_address *a, struct cu_err *err)
{
    struct cu_span rest, part;

    if (text.n && text.p[text.n - 1] == '/') text.n--;
    if (text.n == 0) return CU_OK;
    TRY(keep(text, "prefix", a->prefix, sizeof a->prefix - 1, err));
    memcpy(a->prefix + text.n, "/", 2);
    rest = cu_span(a->prefix, text.n + 1); /* all of it, a NUL too */
    while (cu_span_split(&rest, '/', &part))
        ENSURE(part.n > 0 && part.p[0] != '.' && all_of(part, UPPER "._-"), err, CU_USAGE,
               "the prefix %s: its parts are of letters, digits, dots, hyphens and underscores, and begin with no dot",
               a->prefix);
    return CU_OK;
}

static cu_status keep_endpoint(struct cu_span text, struct cu_s3_address *a, struct cu_err *err)
{
    struct cu_span host = text;

    if (text.n && text.p[text.n - 1] == '/') host.n = --text.n;
    ENSURE((cu_span_take(&host, "https://") || cu_span_take(&host, "http://")) && host.n > 0 && all_of(host, UPPER ".-:[]"), err,
           CU_USAGE, "endpoint=%.*s: https://HOST[:PORT] or http://HOST[:PORT] belongs there, and no user or password",
           (int)text.n, (const char *)text.p);
    return keep(text, "endpoint", a->endpoint, sizeof a->endpoint, err);
}

static cu_status keep_number(struct cu_span name, struct cu_span value, struct cu_s3_address *a, struct cu_err *err)
{
    const struct {
        const char *name, *unit;
        uint64_t max, *to;
    } rows[] = { { "retain", "days", 36500, &a->retain_days },
                 { "timeout", "seconds", 3600, &a->timeout_s },
                 { "tries", "times", 20, &a->tries } };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!cu_span_is(name, rows[i].name)) continue;
        const cu_status read = cu_decimal_read(value, rows[i].max, rows[i].to, NULL);
        ENSURE(read == CU_OK && *rows[i].to > 0, err, CU_USAGE, "%s=: 1 to %llu %s belong there", rows[i].name, LLU(rows[i].max),
               rows[i].unit);
        return CU_OK;
    }
    return cu_fail(err, CU_USAGE, "%.*s= is not known: endpoint, region, retain, credentials, timeout and tries are", (int)name.n,
                   (const char *)name.p);
}

static cu_status keep_value(struct cu_span name, struct cu_span value, struct cu_s3_address *a, struct cu_err *err)
{
    if (cu_span_is(name, "endpoint")) return keep_endpoint(value, a, err);
    if (cu_span_is(name, "region")) {
        ENSURE(value.n > 0 && all_of(value, "-"), err, CU_USAGE, "region=: small letters, digits and hyphens belong there");
        return keep(value, "region", a->region, sizeof a->region, err);
    }
    if (cu_span_is(name, "credentials")) {
        ENSURE(value.n > 0 && value.p[0] == '/', err, CU_USAGE, "credentials=: the whole path of a file belongs there");
        return keep(value, "credentials' path", a->credentials, sizeof a->credentials, err);
    }
    return keep_number(name, value, a, err);
}

static cu_status decode(struct cu_span text, struct cu_buf *out, struct cu_err *err)
{
    for (size_t i = 0; i < text.n; i++) {
        uint8_t byte = text.p[i];
        if (byte == '%') {
            char two[2] = { 0 };
            for (size_t k = 0; k < 2 && text.n - i > 2; k++)
                two[k] = (char)(text.p[i + 1 + k] >= 'A' && text.p[i + 1 + k] <= 'F' ? text.p[i + 1 + k] | 0x20
                                                                                     : text.p[i + 1 + k]);
            ENSURE(cu_hex_read(CU_SPAN_OF(two), &byte, 1, NULL) == CU_OK && byte != 0, err, CU_USAGE,
                   "the address: two hex digits belong behind a %%");
            i += 2;
        }
        ENSURE(byte >= ' ' && byte != 0x7f, err, CU_USAGE, "the address: a control character stands in it");
        cu_buf_add_byte(out, byte);
    }
    return cu_buf_ok(out, err);
}

static cu_status keep_values(struct cu_span text, struct cu_s3_address *a, struct cu_err *err)
{
    struct cu_span one, name;

    while (text.n) {
        CU_BUF value = cu_buf_heap(2048);
        if (!cu_span_split(&text, '&', &one)) one = text, text = CU_SPAN_EMPTY;
        ENSURE(cu_span_split(&one, '=', &name), err, CU_USAGE, "the address: name=value belongs between & and &");
        TRY(decode(one, &value, err));
        TRY(keep_value(name, cu_buf_span(&value), a, err));
    }
    return CU_OK;
}

cu_status cu_s3_address_read(struct cu_span text, struct cu_s3_address *ret, struct cu_err *err)
{
    struct cu_s3_address a = { .region = "us-east-1", .timeout_s = 30, .tries = 8 };
    struct cu_span place = text, values = CU_SPAN_EMPTY, bucket;

    ENSURE(cu_span_take(&place, "s3://"), err, CU_USAGE, "a bucket's address begins with s3://");
    struct cu_span rest = place;
    if (cu_span_split(&rest, '?', &place)) values = rest;
    rest = place;
    if (!cu_span_split(&rest, '/', &bucket)) bucket = place, rest = CU_SPAN_EMPTY;
    TRY(keep_bucket(bucket, &a, err));
    TRY(keep_prefix(rest, &a, err));
    TRY(keep_values(values, &a, err));
    if (!a.endpoint[0]) snprintf(a.endpoint, sizeof a.endpoint, "https://s3.%s.amazonaws.com", a.region);
    *ret = a;
    return CU_OK;
}
