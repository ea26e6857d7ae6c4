/* Evidence that is sealed while it is read: what reaches a store is an age file, whatever was read. A folder is sealed as one tar file,
 * with all its names; stock `age` and `tar` give it back.
 *
 * (1) The digests are those of what is sealed; size and root are of the age file.
 * (2) Each item of a tar file has a pax header, so no name is too long, no file too large, and times keep their nanoseconds.
 */
#include "content/hardlinks.h"
#include "content/intake.h"
#include "content/put.h"
#include "custody/age.h"

#include <stdio.h>
#include <stdlib.h>

enum { TAR_BLOCK = 512 };

struct sealing {
    struct cu_intake *in;
    struct cu_age_seal *seal; /* the file and, when two keys are to be needed, the one within it */
    size_t layers;
    struct cu_digest_set digests;
    struct cu_buf out, within; /* sealed, not in the batch yet; of the one within, not in the outer yet */
    bool large;
};

static void sealing_free(struct sealing *s)
{
    for (size_t i = 0; s->seal && i < s->layers; i++) cu_age_seal_free(&s->seal[i]);
    free(s->seal);
    cu_digest_set_free(&s->digests);
    cu_buf_free(&s->out);
    cu_buf_free(&s->within);
}

static cu_status wrap(struct sealing *s, struct cu_err *err)
{
    TRY(cu_age_seal_add(&s->seal[0], cu_buf_span(&s->within), &s->out, err));
    cu_buf_clear(&s->within);
    return CU_OK;
}

static cu_status begin(struct sealing *s, struct cu_err *err)
{
    s->out = cu_buf_heap(CU_AGE_HEADER_MAX + 3 * CU_CHUNK_BYTES);
    s->within = cu_buf_heap(CU_AGE_HEADER_MAX + 3 * CU_CHUNK_BYTES);
    TRY(cu_digest_set_start(s->in->algs, &s->digests, err));
    s->layers = s->in->second_n ? 2 : 1;
    s->seal = calloc(s->layers, sizeof *s->seal);
    ENSURE(s->seal, err, CU_NO_MEMORY, "no memory to seal");
    TRY(cu_age_seal_start(s->in->to, s->in->to_n, &s->seal[0], &s->out, err));
    if (s->layers == 1) return CU_OK;
    TRY(cu_age_seal_start(s->in->second, s->in->second_n, &s->seal[1], &s->within, err));
    return wrap(s, err);
}

static cu_status hand_over(struct sealing *s, struct cu_err *err)
{
    if (!s->large) TRY(cu_put_large_begin(s->in->put, err));
    s->large = true;
    TRY(cu_put_large_add(s->in->put, cu_buf_span(&s->out), err));
    TRY(cu_intake_kept(s->in, cu_buf_span(&s->out), err));
    cu_buf_clear(&s->out);
    return CU_OK;
}

static cu_status add(struct sealing *s, struct cu_span plain, struct cu_err *err)
{
    cu_digest_set_add(&s->digests, plain);
    TRY(cu_age_seal_add(&s->seal[s->layers - 1], plain, s->layers == 1 ? &s->out : &s->within, err));
    if (s->layers == 2) TRY(wrap(s, err));
    return s->out.n < CU_CHUNK_BYTES ? CU_OK : hand_over(s, err);
}

static cu_status end(struct sealing *s, struct cu_ingested *ret, struct cu_err *err)
{
    if (s->layers == 2) {
        TRY(cu_age_seal_finish(&s->seal[1], &s->within, err));
        TRY(wrap(s, err));
    }
    TRY(cu_age_seal_finish(&s->seal[0], &s->out, err));
    cu_digest_set_finish(&s->digests, ret->digest, &ret->digests_n);
    ret->type = CU_CONTENT_ITEM;
    if (s->large || s->out.n >= CU_CHUNK_BYTES) {
        TRY(hand_over(s, err));
        return cu_put_large_end(s->in->put, &ret->root, &ret->size, err);
    }
    TRY(cu_intake_kept(s->in, cu_buf_span(&s->out), err));
    ret->size = s->out.n;
    ret->root = cu_content_root_of(cu_buf_span(&s->out));
    return cu_intake_keep_small(s->in, cu_buf_span(&s->out), ret, err);
}

cu_status cu_intake_seal_rest(struct cu_intake *in, struct cu_source_file *f, uint8_t *piece, size_t n, struct cu_ingested *ret,
                              struct cu_err *err)
{
    CU_CLEANUP(sealing_free) struct sealing s = { .in = in };

    TRY(begin(&s, err));
    TRY(add(&s, cu_span(piece, n), err));
    while (n == CU_CHUNK_BYTES) {
        TRY(cu_intake_fill(in, f, piece, CU_CHUNK_BYTES, &n, err));
        TRY(add(&s, cu_span(piece, n), err));
    }
    return end(&s, ret, err);
}

/* ---- a folder ---- */

struct folder {
    struct sealing s;
    const struct cu_ingest *config;
    struct cu_hardlinks links;
    struct cu_buf head;
    uint8_t *piece; /* a chunk */
};

static void folder_free(struct folder *f)
{
    sealing_free(&f->s);
    cu_hardlinks_free(&f->links);
    cu_buf_free(&f->head);
    free(f->piece);
}

static void octal(char *at, size_t n, uint64_t value)
{
    snprintf(at, n, "%0*llo", (int)n - 1,
             LLU(value & ((UINT64_C(1) << 3 * (n - 1)) - 1))); /* what is beyond, the pax header says */
}

static void put_header(struct cu_buf *out, char type, struct cu_span name, uint64_t size, uint64_t mode)
{
    static const char magic[] = { 'u', 's', 't', 'a', 'r', 0, '0', '0' };
    char h[TAR_BLOCK] = "";
    unsigned sum = 0;

    memcpy(h, name.p, name.n < 100 ? name.n : 100);
    octal(h + 100, 8, mode);
    octal(h + 108, 8, 0);
    octal(h + 116, 8, 0);
    octal(h + 124, 12, size);
    octal(h + 136, 12, 0);
    memset(h + 148, ' ', 8);
    h[156] = type;
    memcpy(h + 257, magic, sizeof magic);
    for (size_t i = 0; i < sizeof h; i++) sum += (uint8_t)h[i];
    snprintf(h + 148, 7, "%06o", sum);
    cu_buf_add(out, cu_span(h, sizeof h));
}

static void put_padding(struct cu_buf *out, uint64_t size)
{
    static const uint8_t zeros[TAR_BLOCK];

    if (size % TAR_BLOCK) cu_buf_add(out, cu_span(zeros, TAR_BLOCK - size % TAR_BLOCK));
}

/* "LENGTH key=value\n", of which the length is part. */
static void put_pax(struct cu_buf *out, const char *key, struct cu_span value)
{
    const size_t bare = strlen(key) + value.n + 3;
    size_t n = bare, before = 0;

    while (n != before) {
        before = n;
        n = bare + (size_t)snprintf(NULL, 0, "%zu", n);
    }
    cu_buf_addf(out, "%zu %s=", n, key);
    cu_buf_add(out, value);
    cu_buf_add_str(out, "\n");
}

static void put_time(struct cu_buf *out, int64_t s, uint64_t ns)
{
    char text[48];

    if (s < 0 && ns) snprintf(text, sizeof text, "-%lld.%09llu", (long long)-(s + 1), LLU(1000000000u - ns));
    else snprintf(text, sizeof text, "%lld.%09llu", (long long)s, LLU(ns));
    put_pax(out, "mtime", cu_span_str(text));
}

static cu_status add_head(struct folder *f, char type, const struct cu_walk_item *w, uint64_t size, struct cu_span target,
                          struct cu_err *err)
{
    CU_BUF pax = cu_buf_heap(4 * CU_PATH_MAX_BYTES);
    char decimal[24];

    put_pax(&pax, "path", w->path);
    if (target.n) put_pax(&pax, "linkpath", target);
    snprintf(decimal, sizeof decimal, "%llu", LLU(size));
    put_pax(&pax, "size", cu_span_str(decimal));
    put_time(&pax, (int64_t)w->stat.mtime_s, w->stat.mtime_ns);
    cu_buf_clear(&f->head);
    put_header(&f->head, 'x', cu_span_str("pax"), pax.n, 0644);
    cu_buf_add(&f->head, cu_buf_span(&pax));
    put_padding(&f->head, pax.n);
    put_header(&f->head, type, w->path, size, w->stat.mode & 07777);
    TRY(cu_buf_ok(&pax, err));
    TRY(cu_buf_ok(&f->head, err));
    return add(&f->s, cu_buf_span(&f->head), err);
}

static cu_status told(struct folder *f, const struct cu_walk_item *w, enum cu_item_type type, struct cu_span target,
                      const struct cu_digest_value *digests, size_t n, struct cu_err *err)
{
    const struct cu_item item = { .path = w->path, .type = type, .target = target, .has_target = target.n > 0 };

    return f->config->item ? f->config->item(f->config->item_arg, &item, digests, n, err) : CU_OK;
}

static cu_status add_link(struct folder *f, const struct cu_walk_item *w, enum cu_item_type type, struct cu_span target,
                          struct cu_err *err)
{
    TRY(add_head(f, type == CU_ITEM_HARDLINK ? '1' : type == CU_ITEM_SYMLINK ? '2' : '5', w, 0, target, err));
    return told(f, w, type, target, NULL, 0, err);
}

static cu_status add_bytes(struct folder *f, struct cu_source_file *file, struct cu_digest_set *digests, uint64_t *ret_size,
                           struct cu_err *err)
{
    size_t n = CU_CHUNK_BYTES;

    for (*ret_size = 0; n == CU_CHUNK_BYTES; *ret_size += n) {
        TRY(cu_intake_fill(f->s.in, file, f->piece, CU_CHUNK_BYTES, &n, err));
        cu_digest_set_add(digests, cu_span(f->piece, n));
        TRY(add(&f->s, cu_span(f->piece, n), err));
    }
    cu_buf_clear(&f->head);
    put_padding(&f->head, *ret_size);
    return f->head.n ? add(&f->s, cu_buf_span(&f->head), err) : CU_OK;
}

static cu_status add_file(struct folder *f, const struct cu_walk_item *w, struct cu_err *err)
{
    CU_CLEANUP(cu_source_close) struct cu_source_file *file = NULL;
    CU_CLEANUP(cu_digest_set_free) struct cu_digest_set digests = { 0 };
    struct cu_digest_value digest[CU_DIGESTS_MAX];
    struct cu_span first = CU_SPAN_EMPTY;
    uint64_t size;
    size_t n;

    if (w->stat.links > 1) TRY(cu_hardlinks_seen(&f->links, &w->stat, w->path, &first, err));
    if (first.n) return add_link(f, w, CU_ITEM_HARDLINK, first, err);
    TRY(cu_intake_open_same(f->s.in, w, &file, err));
    TRY(add_head(f, '0', w, w->stat.size, CU_SPAN_EMPTY, err));
    TRY(cu_digest_set_start(f->s.in->algs, &digests, err));
    TRY(add_bytes(f, file, &digests, &size, err));
    TRY(cu_intake_unchanged(f->s.in, file, w->full, false, &w->stat, size, err));
    cu_digest_set_finish(&digests, digest, &n);
    f->s.in->files++;
    return told(f, w, CU_ITEM_FILE, CU_SPAN_EMPTY, digest, n, err);
}

static cu_status visit(void *arg, const struct cu_walk_item *w, struct cu_err *err)
{
    CU_BUF target = cu_buf_heap(CU_PATH_MAX_BYTES);
    struct folder *f = arg;

    switch (w->stat.kind) {
    case CU_SOURCE_FILE: return add_file(f, w, err);
    case CU_SOURCE_FOLDER: return add_link(f, w, CU_ITEM_DIRECTORY, CU_SPAN_EMPTY, err);
    case CU_SOURCE_SYMLINK:
        TRY(f->s.in->source->ops->read_link(f->s.in->source->self, w->full, &target, err));
        return add_link(f, w, CU_ITEM_SYMLINK, cu_buf_span(&target), err);
    case CU_SOURCE_BLOCK_DEVICE:
    case CU_SOURCE_STREAM:
    case CU_SOURCE_OTHER: break;
    }
    return cu_fail(
        err, CU_NOT_ALLOWED,
        "%s is neither a file, a folder nor a link, and a sealed folder cannot hold it: nothing was deposited; take it "
        "out, or deposit the folder without --seal",
        w->full);
}

cu_status cu_intake_seal_folder(struct cu_intake *in, const struct cu_ingest *config, const char *path, struct cu_ingested *ret,
                                struct cu_err *err)
{
    static const uint8_t last[2 * TAR_BLOCK];
    CU_CLEANUP(folder_free) struct folder f = { .s = { .in = in }, .config = config, .head = cu_buf_heap(8 * CU_PATH_MAX_BYTES) };

    cu_hardlinks_start(&f.links);
    f.piece = malloc(CU_CHUNK_BYTES);
    ENSURE(f.piece, err, CU_NO_MEMORY, "no memory to read a folder");
    TRY(begin(&f.s, err));
    TRY(cu_walk(in->source, path, visit, &f, err));
    TRY(add(&f.s, CU_SPAN_OF(last), err));
    snprintf(ret->media, sizeof ret->media, "%s", CU_MEDIA_SEALED_FOLDER);
    return end(&f.s, ret, err);
}
