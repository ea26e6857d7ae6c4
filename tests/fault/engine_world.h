/* One story of an embedded ledger (made, opened, written to, drained, closed, opened again), told on a file system that may fail or
 * stop at any moment; and the questions that must be answered well afterwards, whatever happened. */
#ifndef TESTS_FAULT_ENGINE_WORLD_H
#define TESTS_FAULT_ENGINE_WORLD_H

#include "../toy_machine.h"

#include "adapters/faulty/faulty.h"
#include "adapters/memory/memory.h"
#include "custody/note.h"
#include "engine/embedded/embedded.h"
#include "ports/log_dir.h"

#define WORLD_RECORDS 16u
#define WORLD_POINTS 64u

struct world {
    struct cu_fs memory, fs; /* `fs` is `memory` through `faulty` */
    struct cu_faulty faulty;
    struct toy *toy;
    struct cu_embedded_config config;
    struct cu_engine engine;
    bool made, open;
    uint64_t clock;

    /* What was promised: by outcome, and by checkpoint. */
    bool acknowledged[WORLD_RECORDS];
    uint64_t seq[WORLD_RECORDS];
    size_t points_n;
    struct { cu_size size; cu_hash root; } point[WORLD_POINTS];
};

void world_prepare(void); /* once a process: keys and records */
void world_release(void);
struct world *world_new(void);
struct world *world_copy(const struct world *w); /* of what lies there now, all of it durable; the engine not open */
void world_free(struct world *w);

cu_status world_make(struct world *w, struct cu_err *err);
cu_status world_open(struct world *w, struct cu_err *err);
cu_status world_close(struct world *w, struct cu_err *err); /* lets go even if it fails */
cu_status world_submit(struct world *w, size_t first, size_t n, struct cu_err *err);
cu_status world_drain(struct world *w, struct cu_err *err);

/** The whole story, up to the first failure, which ends it: what is open is closed as well as it goes. */
cu_status world_story(struct world *w, struct cu_err *err);

/** Power off, and on with a sound file system; `seed` as in cu_memory_crash. */
void world_crash(struct world *w, uint64_t seed);

/** Does `check` take what a crash left for what it is, and not for damage? NULL, or what it says. Before anything is opened. */
const char *world_check(struct world *w);

/** Is every promise kept? Opens, asks, submits one more record, closes, and judges logs and journal. NULL: all is well; else what
 *  is wrong. */
const char *world_judge(struct world *w);

#endif
