/* A ledger's folder put together by hand, for programs that attack one. What they do is what somebody could do who has the folder
 * and its keys; the product itself offers none of it. */
#ifndef CU_TESTS_TOOLS_FOLDER_H
#define CU_TESTS_TOOLS_FOLDER_H

#include "adapters/posix/posix.h"
#include "adapters/sqlite/sqlite_index.h"
#include "content/objects.h"
#include "engine/embedded/embedded.h"
#include "service/service.h"

#include <stdio.h>
#include <stdlib.h>

#define VERIFIER_KEYS 64

struct folder {
    struct cu_place place;
    struct cu_engine engine;
    struct cu_embedded_config config;
    struct cu_attachment_writer attachments;
    struct cu_buf origin;
    uint64_t now; /* what the engine's clock says; 0: the true time */
    unsigned workers; /* the engine's */
};

static inline cu_unix_ms folder_now(void *self)
{
    const struct folder *f = self;
    const struct cu_clock true_clock = cu_posix_clock();

    return f->now ? (cu_unix_ms){ f->now } : true_clock.now(true_clock.self);
}

/* The parts that need no log yet: files, clock, keys, stores, index. */
static inline cu_status folder_parts(struct folder *f, const char *dir, bool read_only, struct cu_err *err)
{
    struct cu_place *p = &f->place;
    const size_t size = cu_verifier_cached_size(VERIFIER_KEYS);
    void *memory = malloc(size);
    char index[4200];

    ENSURE(memory, err, CU_NO_MEMORY, "out of memory");
    TRY(cu_posix_fs(dir, &p->fs, err));
    p->source = cu_posix_source();
    p->clock = (struct cu_clock){ f, folder_now };
    p->random = cu_posix_random();
    TRY(cu_verifier_cached(memory, size, &p->verifier, err));
    for (enum cu_signer who = 0; who < CU_SIGNERS; who++) {
        TRY(cu_key_load(p, who, CU_SPAN_EMPTY, &p->key[who], err));
        p->has_key[who] = true;
    }
    snprintf(index, sizeof index, "%s/" CU_FILE_INDEX, dir);
    TRY(cu_sqlite_index_open(index, read_only, &p->index, err));
    TRY(cu_objects_open(&p->fs, CU_DIR_CLOUD_OBJECTS, &p->index, CU_STORE_CLOUD, &p->store[CU_STORE_CLOUD], err));
    return cu_objects_open(&p->fs, CU_DIR_NODE_OBJECTS, &p->index, CU_STORE_NODE, &p->store[CU_STORE_NODE], err);
}

/* The log's origin is the name of the key in trust/log.vkey. */
static inline cu_status folder_origin(struct folder *f, struct cu_err *err)
{
    CU_BUF text = cu_buf_heap(1024);
    struct cu_vkey vkey;

    TRY(cu_fs_read(&f->place.fs, CU_FILE_VKEY, 1024, &text, err));
    ENSURE(text.n > 0, err, CU_CORRUPT, CU_FILE_VKEY " is empty");
    TRY(cu_vkey_read(cu_span(text.p, text.n - 1), &vkey, err));
    f->origin = cu_buf_heap(CU_ORIGIN_MAX);
    cu_buf_add(&f->origin, vkey.name);
    return cu_buf_ok(&f->origin, err);
}

/* `create`: the folder has no log yet. */
static inline cu_status folder_engine(struct folder *f, bool create, struct cu_err *err)
{
    struct cu_place *p = &f->place;

    TRY(folder_origin(f, err));
    TRY(cu_ledger_open(&p->fs, CU_DIR_NODE_STATE, &p->ledger, err));
    f->attachments = (struct cu_attachment_writer){ .stores = { p->store[0], p->store[1] }, .n = CU_STORES };
    f->config = (struct cu_embedded_config){
        .fs = &p->fs,
        .lock = CU_FILE_LOCK,
        .journal = CU_DIR_JOURNAL,
        .log = { CU_DIR_NODE_LOG, CU_DIR_CLOUD_LOG },
        .machine = cu_ledger_machine(p->ledger),
        .attachments = cu_objects_attachments(&f->attachments),
        .clock = p->clock,
        .origin = cu_buf_span(&f->origin),
        .log_key = &p->key[CU_SIGNER_LOG],
        .workers = f->workers,
    };
    if (create) TRY(cu_embedded_create(&f->config, err));
    TRY(cu_embedded_open(&f->config, &f->engine, err));
    p->engine = &f->engine;
    return CU_OK;
}

static inline cu_status folder_close(struct folder *f, struct cu_err *err)
{
    struct cu_place *p = &f->place;
    cu_status closed = p->engine ? f->engine.close(f->engine.self, err) : CU_OK;

    cu_ledger_close(p->ledger);
    for (int i = 0; i < CU_STORES; i++) cu_objects_close(p->store[i]);
    if (p->index.close) p->index.close(p->index.self);
    cu_place_free(p);
    cu_buf_free(&f->origin);
    if (p->fs.ops) p->fs.ops->close(p->fs.self);
    return closed; /* the verifier's memory goes with the process */
}

#endif
