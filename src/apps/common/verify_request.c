/* The few files of a verification, read whole and bounded. */
#include "apps/common/verify_request.h"

#include "adapters/posix/posix.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MANIFEST_MAX ((size_t)8 << 30)
#define KEYS 64

static cu_status read_file(const char *path, size_t max, struct cu_buf *ret, struct cu_err *err)
{
    const struct cu_source source = cu_posix_source();
    struct cu_source_file *f;
    cu_status read;
    size_t n = 1;

    TRY(source.ops->open(source.self, path, &f, err));
    for (read = CU_OK; read == CU_OK && n > 0;) {
        uint8_t piece[16384];
        read = f->ops->read(f, piece, sizeof piece, &n, err);
        if (read == CU_OK) cu_buf_add(ret, cu_span(piece, n));
        if (ret->n > max)
            read = cu_fail(err, CU_TOO_LARGE, "%s is larger than %zu bytes: it is not what it is taken for", path, max);
    }
    f->ops->close(f);
    return read == CU_OK ? cu_buf_ok(ret, err) : read;
}

static cu_status read_manifest(struct verify_request *v, const struct verify_arguments *args, struct cu_err *err)
{
    char beside[4200];

    if (!args->path) return CU_OK;
    snprintf(beside, sizeof beside, "%s.manifest", args->receipt);
    if (!args->manifest && access(beside, R_OK) != 0) return CU_OK;
    v->manifest = cu_buf_heap(MANIFEST_MAX);
    return read_file(args->manifest ? args->manifest : beside, MANIFEST_MAX, &v->manifest, err);
}

/* ---- an exported case ---- */
static bool is_bag(const char *path)
{
    struct stat is;
    char file[4200];

    if (stat(path, &is) != 0 || !S_ISDIR(is.st_mode)) return false;
    snprintf(file, sizeof file, "%s/bagit.txt", path);
    return access(file, F_OK) == 0;
}

static bool is_zip(const char *path)
{
    FILE *f = fopen(path, "rb");
    char begin[4] = "";
    bool zip = f && fread(begin, 1, 4, f) == 4 && (memcmp(begin, "PK\3\4", 4) == 0 || memcmp(begin, "PK\5\6", 4) == 0);

    if (f) (void)fclose(f);
    return zip;
}

cu_status open_bag(const char *path, const struct cu_source *source,
                   cu_status (*open_zip)(const char *path, struct cu_package *ret, struct cu_err *err), struct cu_package *ret,
                   struct cu_err *err)
{
    if (is_bag(path)) return cu_bag_folder(source, path, ret, err);
    ENSURE(is_zip(path), err, CU_NOT_FOUND, "%s is no exported case: neither a folder with a bagit.txt nor a zip", path);
    ENSURE(open_zip, err, CU_USAGE, "%s is a zip, and this program reads none: unpack it (`unzip %s`) and name the folder", path,
           path);
    return open_zip(path, ret, err);
}

static void close_package(struct cu_package *p)
{
    if (p->close) p->close(p->self);
}

static cu_status go_bag(const struct cu_judge_request *r, const struct verify_arguments *args, struct cu_buf *out, int *ret_exit,
                        struct cu_err *err)
{
    CU_CLEANUP(close_package) struct cu_package package = { 0 };
    const struct cu_bag_request bag = { .package = &package,
                                        .trust_text = r->trust_text,
                                        .progress = r->progress,
                                        .verifier = r->verifier,
                                        .scratch = r->scratch,
                                        .path = args->receipt };
    ENSURE(!args->path && !args->manifest && !args->id && !args->network, err, CU_USAGE,
           "an exported case is judged as a whole: name nothing beside it but --trust FILE");
    TRY(open_bag(args->receipt, r->source, args->open_zip, &package, err));
    return cu_bag_judge(&bag, args->json, out, ret_exit, err);
}

cu_status verify_go(struct verify_request *v, const struct verify_arguments *args, struct cu_span own_trust, struct cu_buf *out,
                    int *ret_exit, struct cu_err *err)
{
    const struct cu_source source = cu_posix_source();
    const size_t verifier_size = cu_verifier_cached_size(KEYS);

    v->receipt = cu_buf_heap(CU_RECEIPT_MAX + 1);
    v->trust = cu_buf_heap(CU_TRUST_MAX + 1);
    v->memory = malloc(verifier_size + CU_VERIFY_SCRATCH);
    ENSURE(v->memory, err, CU_NO_MEMORY, "out of memory");
    const bool bag = is_bag(args->receipt) || is_zip(args->receipt);
    if (!bag) TRY(read_file(args->receipt, CU_RECEIPT_MAX, &v->receipt, err));
    if (args->trust) TRY(read_file(args->trust, CU_TRUST_MAX, &v->trust, err));
    ENSURE(!args->trust || v->trust.n > 0, err, CU_MALFORMED, "%s is empty: it pins nothing, so nothing was judged by it",
           args->trust);
    TRY(read_manifest(v, args, err));
    TRY(cu_verifier_cached(v->memory, verifier_size, &v->verifier, err));
    const struct cu_judge_request r = {
        .receipt = cu_buf_span(&v->receipt),
        .trust_text = args->trust ? cu_buf_span(&v->trust) : own_trust,
        .path = args->path,
        .id = args->id,
        .network = args->network,
        .manifest = cu_buf_span(&v->manifest),
        .source = &source,
        .verifier = &v->verifier,
        .scratch = (uint8_t *)v->memory + verifier_size,
    };
    return bag ? go_bag(&r, args, out, ret_exit, err) : cu_judge(&r, args->json, out, ret_exit, err);
}

void verify_request_free(struct verify_request *v)
{
    cu_buf_free(&v->receipt);
    cu_buf_free(&v->trust);
    cu_buf_free(&v->manifest);
    if (v->verifier.free) v->verifier.free(v->verifier.self);
    free(v->memory);
}
