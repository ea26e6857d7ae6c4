/* The head of a saved state: [type, clean, snapshot id, delta length, delta chain] and its SHA-256. Written beside, renamed over:
 * it is never half there, so whatever is wrong with it is damage. */
#include "ledger/saved.h"

#include <stdio.h>

#define TYPE "custody/state-head/v1"
#define TYPE_FRONT "custody/state-head/"
#define HEAD_BYTES_MAX 256
#define PATH_BYTES 512

struct form {
    struct cu_span type;
    struct cu_state_head head;
};
static const struct cu_field fields[] = {
    CU_TEXT(0, struct form, type, 1, 64),    CU_UINT(1, struct form, head.clean, 0, 1),
    CU_FIXED(2, struct form, head.snapshot), CU_UINT(3, struct form, head.delta, 0, INT64_MAX),
    CU_FIXED(4, struct form, head.chain),
};
static const struct cu_schema schema = CU_SCHEMA_OF("state head", fields, struct form, .tuple = true);

static cu_status parse(struct cu_span bytes, const char *path, struct cu_state_head *ret, struct cu_err *err)
{
    struct form form;
    cu_hash sum;

    if (bytes.n > sizeof sum) sum = cu_sha256(cu_span(bytes.p, bytes.n - sizeof sum));
    ENSURE(bytes.n > sizeof sum && memcmp(bytes.p + bytes.n - sizeof sum, sum.b, sizeof sum.b) == 0, err, CU_CORRUPT,
           "%s is damaged. The log has all of it: `custody check --repair` makes the state anew", path);
    bytes.n -= sizeof sum;
    ENSURE(cu_schema_read(&schema, bytes, &form, NULL) == CU_OK, err, CU_NEWER_FORMAT, "%s: of no form that is known here", path);
    ENSURE(cu_span_is(form.type, TYPE), err, CU_NEWER_FORMAT, "%s: \"%.*s\" is not known here", path, (int)form.type.n,
           (const char *)form.type.p);
    *ret = form.head;
    return CU_OK;
}

cu_status cu_state_head_read(const struct cu_fs *fs, const char *dir, struct cu_state_head *ret, cu_hash *ret_sum,
                             struct cu_err *err)
{
    uint8_t mem[HEAD_BYTES_MAX];
    struct cu_buf bytes = cu_buf_over(mem, sizeof mem);
    char path[PATH_BYTES];

    snprintf(path, sizeof path, "%s/head", dir);
    cu_status status = cu_fs_read(fs, path, sizeof mem, &bytes, err);
    ENSURE(status != CU_TOO_LARGE, err, CU_CORRUPT, "%s: longer than any", path);
    if (status != CU_OK) return status;
    *ret_sum = cu_sha256(cu_buf_span(&bytes));
    return parse(cu_buf_span(&bytes), path, ret, err);
}

cu_status cu_state_head_write(const struct cu_fs *fs, const char *dir, const struct cu_state_head *head, struct cu_err *err)
{
    uint8_t mem[HEAD_BYTES_MAX];
    struct cu_buf out = cu_buf_over(mem, sizeof mem);
    const struct form form = { cu_span_str(TYPE), *head };
    char path[PATH_BYTES], incoming[PATH_BYTES];

    TRY(cu_schema_write(&schema, &form, &out, err));
    cu_hash sum = cu_sha256(cu_buf_span(&out));
    cu_buf_add(&out, cu_span_hash(&sum));
    TRY(cu_buf_ok(&out, err));
    snprintf(path, sizeof path, "%s/head", dir);
    snprintf(incoming, sizeof incoming, "%s/incoming/head", dir);
    return cu_fs_replace(fs, path, incoming, cu_buf_span(&out), true, err);
}
