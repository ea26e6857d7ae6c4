/* Verdicts by the hundred, for scripts. A line in, from standard input, names files, "-" where there is none:
 *
 *     receipt <tab> trust <tab> evidence <tab> manifest
 *     proof <tab> trust                                         with --forks
 *     proof <tab> part <tab> size of the item <tab> its root    with --parts
 *     folder of an exported case <tab> trust                    with --bags
 *
 * and one line of JSON comes out: what `custody-verify --json` prints, or {"refused": STATUS} when there is nothing to judge.
 */
#include "adapters/posix/posix.h"
#include "court/bag.h"
#include "custody/part.h"
#include "custody/text.h"
#include "service/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANIFEST_MAX ((size_t)1 << 20)
static uint8_t file[3][MANIFEST_MAX], scratch[CU_VERIFY_SCRATCH];

static const char *column(char **line)
{
    const char *at = strsep(line, "\t\n");

    return at && *at && strcmp(at, "-") != 0 ? at : NULL;
}

/* A file that is not named is an empty one. */
static cu_status read_column(char **line, uint8_t mem[MANIFEST_MAX], struct cu_span *ret, struct cu_err *err)
{
    const char *path = column(line);
    FILE *in = path ? fopen(path, "rb") : NULL;

    *ret = CU_SPAN_EMPTY;
    if (!path) return CU_OK;
    ENSURE(in, err, CU_IO, "%s cannot be opened", path);
    *ret = cu_span(mem, fread(mem, 1, MANIFEST_MAX, in));
    fclose(in);
    return CU_OK;
}

static cu_status judge(char *line, struct cu_verifier *by, struct cu_buf *out, struct cu_err *err)
{
    const struct cu_source source = cu_posix_source();
    struct cu_judge_request r = { .source = &source, .verifier = by, .scratch = scratch };
    int code;

    TRY(read_column(&line, file[0], &r.receipt, err));
    TRY(read_column(&line, file[1], &r.trust_text, err));
    r.path = column(&line);
    TRY(read_column(&line, file[2], &r.manifest, err));
    return cu_judge(&r, true, out, &code, err);
}

static void put_names(struct cu_buf *out, const char *key, const struct cu_span *names, size_t n)
{
    cu_buf_addf(out, ",\"%s\":[", key);
    for (size_t i = 0; i < n; i++) cu_buf_addf(out, "%s\"%.*s\"", i ? "," : "", (int)names[i].n, (const char *)names[i].p);
    cu_buf_add_byte(out, ']');
}

static cu_status judge_fork(char *line, struct cu_verifier *by, struct cu_buf *out, struct cu_err *err)
{
    struct cu_span proof, text;
    struct cu_fork_report r;
    struct cu_trust trust;

    TRY(read_column(&line, file[0], &proof, err));
    TRY(read_column(&line, file[1], &text, err));
    TRY(cu_trust_read(text, &trust, err));
    TRY(cu_fork_verify(proof, &trust, by, &r, err));
    cu_buf_add_str(out, "{\"status\":\"OK\"");
    put_names(out, "convicted", r.convicted, r.convicted_n);
    put_names(out, "a", r.a_signers, r.a_n);
    put_names(out, "b", r.b_signers, r.b_n);
    cu_buf_add_str(out, "}\n");
    return CU_OK;
}

static cu_status judge_part(char *line, struct cu_verifier *by, struct cu_buf *out, struct cu_err *err)
{
    struct cu_span proof_bytes, bytes;
    struct cu_part_proof proof;
    struct cu_part part;
    uint64_t size;
    cu_hash root;

    (void)by;
    TRY(read_column(&line, file[0], &proof_bytes, err));
    TRY(read_column(&line, file[1], &bytes, err));
    TRY(cu_decimal_read(cu_span_str(column(&line)), INT64_MAX, &size, err));
    TRY(cu_hex_read(cu_span_str(column(&line)), root.b, sizeof root, err));
    TRY(cu_part_proof_read(proof_bytes, &proof, err));
    cu_part_start(&part, proof.first);
    cu_part_add(&part, bytes);
    TRY(cu_part_verify(&part, &proof, size, &root, err));
    cu_buf_add_str(out, "{\"status\":\"OK\"}\n");
    return CU_OK;
}

static cu_status judge_bag(char *line, struct cu_verifier *by, struct cu_buf *out, struct cu_err *err)
{
    const struct cu_source source = cu_posix_source();
    const char *path = column(&line);
    struct cu_package package;
    struct cu_bag_request r = { .package = &package, .verifier = by, .scratch = scratch, .path = path };
    int code;

    TRY(read_column(&line, file[1], &r.trust_text, err));
    TRY(cu_bag_folder(&source, path, &package, err));
    const cu_status judged = cu_bag_judge(&r, true, out, &code, err);
    package.close(package.self);
    return judged;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    cu_status (*go)(char *, struct cu_verifier *, struct cu_buf *, struct cu_err *) = judge;
    CU_BUF out = cu_buf_heap((size_t)64 << 20);
    struct cu_verifier by;
    char *line = NULL;
    size_t size = 0;

    if (cu_crypto_init(NULL) != CU_OK) return 1;
    by = cu_verifier_plain();
    if (strcmp(what, "--forks") == 0) go = judge_fork;
    if (strcmp(what, "--parts") == 0) go = judge_part;
    if (strcmp(what, "--bags") == 0) go = judge_bag;
    while (getline(&line, &size, stdin) > 0) {
        struct cu_err err = { 0 };
        cu_buf_clear(&out);
        const cu_status status = go(line, &by, &out, &err);
        if (status != CU_OK) printf("{\"refused\":\"%s\"}\n", cu_status_name(status));
        else fwrite(out.p, 1, out.n, stdout);
    }
    free(line);
    return fflush(stdout) == 0 ? 0 : 1;
}
