/* What proves that somebody signed two logs of one name: kept for good, published, told. */
#include "service/cosigned.h"
#include "service/service.h"

#include "custody/text.h"

#include <stdio.h>

/* This log's own word of that size: what was kept, with who cosigned it; else signed now, for it is a part of the log that lies here. */
static cu_status own_note(struct cu_place *p, const struct cu_checkpoint *other, struct cu_buf *ret, struct cu_err *err)
{
    const struct cu_node_source nodes = cu_tile_node_source(&p->log.nodes);
    CU_BUF text = cu_buf_heap(CU_NOTE_MAX);
    struct cu_checkpoint own = { other->origin, other->size, cu_empty_root() };

    if (cu_cosigned_get(p, other->size, ret, NULL) == CU_OK) return CU_OK;
    ENSURE(p->has_key[CU_SIGNER_LOG], err, CU_NOT_ALLOWED, "the log's key is not here: what contradicts it cannot be shown");
    TRY(cu_range_root(&nodes, (cu_seq){ 0 }, (cu_seq){ own.size.v }, &own.root, err));
    cu_checkpoint_put(&own, &text);
    TRY(cu_buf_ok(&text, err));
    return cu_log_sign(p, &p->trust, own.size, cu_buf_span(&text), ret, err);
}

cu_status cu_fork_keep(struct cu_place *p, struct cu_span note, bool *ret_new, struct cu_err *err)
{
    CU_BUF own = cu_buf_heap(CU_NOTE_MAX), proof = cu_buf_heap(CU_RECEIPT_MAX);
    struct cu_fork_report report;
    struct cu_checkpoint other;
    struct cu_note read;
    char hex[65], path[128];

    *ret_new = false;
    TRY(cu_note_read(note, &read, err));
    TRY(cu_checkpoint_read(read.text, &other, err));
    TRY(own_note(p, &other, &own, err));
    const struct cu_fork fork = { cu_span_str(CU_FORK_TYPE), cu_buf_span(&own), note, .has_subtree = false };
    TRY(cu_schema_write(&cu_fork_schema, &fork, &proof, err));
    TRY(cu_fork_verify(cu_buf_span(&proof), &p->trust, &p->verifier, &report, err));
    const cu_hash name = cu_sha256(cu_buf_span(&proof));
    cu_hash_hex(&name, hex);
    snprintf(path, sizeof path, CU_DIR_FORKS "/%.16s.fork", hex);
    if (cu_fs_exists(&p->fs, path)) return CU_OK;
    const cu_status kept = cu_fs_replace(&p->fs, path, CU_DIR_FORKS "/incoming", cu_buf_span(&proof), true, err);
    *ret_new = cu_fs_exists(&p->fs, path);
    return kept == CU_OK
               ? CU_OK
               : cu_fail_while(err, kept, "somebody signed another log of this name, and the proof of it could not be kept");
}

struct listing {
    uint64_t n;
    void (*each)(void *arg, const char *name);
    void *arg;
};

static cu_status count(void *listing, const char *name, enum cu_file_kind kind, struct cu_err *err)
{
    struct listing *l = listing;
    const char *dot = strrchr(name, '.');

    (void)kind, (void)err;
    if (!dot || strcmp(dot, ".fork") != 0) return CU_OK;
    l->n++;
    if (l->each) l->each(l->arg, name);
    return CU_OK;
}

cu_status cu_forks_list(const struct cu_place *p, uint64_t *ret_n, void (*each)(void *arg, const char *name), void *arg,
                        struct cu_err *err)
{
    struct listing l = { 0, each, arg };
    const cu_status listed = p->fs.ops->list(p->fs.self, CU_DIR_FORKS, count, &l, err);

    *ret_n = l.n;
    return listed == CU_NOT_FOUND ? CU_OK : listed;
}
