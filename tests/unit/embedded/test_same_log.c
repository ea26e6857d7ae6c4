/* Whoever checks the signatures, the log is the same: the same statements at the same times through engine and ledger, with the
 * accelerator and without it, on one lane and on several threads, give the same answers and the same bytes. */
#include "../ledger/play.h"

#include "adapters/memory/memory.h"
#include "custody/digest.h"
#include "engine/embedded/embedded.h"

enum { BLOCKS = 8, DEPOSITS = 30, RECORDS = 64 };

static struct play p;

/* ---- the statements, made once ------------------------------------------------------------------------------------- */

static struct cu_fs paper; /* where the play keeps its own state */

static int write_play(void **state)
{
    uint64_t serial = 1;

    if (play_make_keys(state) != 0 || cu_memory_fs(&paper, &err) != CU_OK) return -1;
    play_start(&p, &paper);
    for (int block = 0; block < BLOCKS; block++) {
        for (int i = 0; i < DEPOSITS; i++, serial++) assert_said(OK, deposits(&p, i % 3 ? OFFICER : CLERK, serial));
        assert_said(OK, opens_case(&p, OFFICER, (uint8_t)(2 + block)));
        assert_said(OK, stores(&p, ORG, 5, 5));
        play_close(&p);
    }
    return 0;
}

static int burn_play(void **state)
{
    play_stop(&p);
    paper.ops->close(paper.self);
    return play_free_keys(state);
}

/* ---- a run of them ------------------------------------------------------------------------------------------------- */

struct run {
    struct cu_fs fs;
    size_t block;
    cu_hash answers, log, everything, state;
    size_t admitted, refused;
};

static cu_unix_ms time_of_block(void *self)
{
    const struct run *run = self;

    return (cu_unix_ms){ p.batch[run->block].closed };
}

static cu_status put_nowhere(void *self, cu_seq seq, const struct cu_record *record, struct cu_err *ret_err)
{
    (void)self, (void)seq, (void)record, (void)ret_err;
    return CU_OK;
}

static cu_status sync_nothing(void *self, struct cu_err *ret_err)
{
    (void)self, (void)ret_err;
    return CU_OK;
}

/* A copy with a bit of a signature turned: of the outer one, or of the claim's. */
static struct cu_span spoiled(const struct said *said, uint8_t *copy, size_t i)
{
    struct cu_record record;
    struct cu_entry entry;

    memcpy(copy, said->bytes, said->n);
    assert_ok(cu_record_read(cu_span(copy, said->n), &record, &err));
    assert_ok(cu_entry_read(record.entry, &entry, &err));
    const struct cu_span signature = (i % 2 && entry.has_inner ? &entry.inner : &entry.outer)->signature;
    copy[signature.p - copy + (ptrdiff_t)(i % 64)] ^= (uint8_t)(1u << i % 8);
    return cu_span(copy, said->n);
}

/* A block's records, and before every fourth of them one that is bad. */
static void submit_block(struct run *run, struct cu_engine *engine, struct cu_digest *answers)
{
    static uint8_t copies[RECORDS][CU_RECORD_MAX];
    const struct batch *b = &p.batch[run->block];
    struct cu_span records[RECORDS];
    struct cu_outcome out[RECORDS];
    size_t n = 0;

    for (size_t i = 0; i < b->n; i++) {
        const struct said *said = &p.said[b->first + i];
        if (run->block > 1 && i % 4 == 0) records[n] = spoiled(said, copies[n], i), n++;
        records[n++] = cu_span(said->bytes, said->n);
        assert_true(n < RECORDS - 1);
    }
    assert_ok(engine->submit(engine->self, records, n, out, &err));
    for (size_t i = 0; i < n; i++) {
        cu_digest_add(answers, cu_span(&out[i].status, sizeof out[i].status));
        cu_digest_add(answers, cu_span(out[i].leaf.b, 32));
        cu_digest_add(answers, cu_span_str(out[i].text));
        run->admitted += out[i].status == CU_OK;
        run->refused += out[i].status != CU_OK;
    }
}

struct walk {
    const struct cu_fs *fs;
    const char *dir;
    struct cu_digest *into;
};

static cu_status walk_dir(const struct cu_fs *fs, const char *dir, struct cu_digest *into);
static cu_status take_file(void *arg, const char *name, enum cu_file_kind kind, struct cu_err *ret_err)
{
    const struct walk *w = arg;
    char path[300];

    snprintf(path, sizeof path, "%s/%s", w->dir, name);
    if (kind == CU_FILE_FOLDER) return walk_dir(w->fs, path, w->into);
    CU_BUF bytes = cu_buf_heap(1u << 26);
    TRY(cu_fs_read(w->fs, path, 1u << 26, &bytes, ret_err));
    cu_digest_add(w->into, cu_span(path, strlen(path) + 1));
    cu_digest_add(w->into, cu_buf_span(&bytes));
    return CU_OK;
}

static cu_status walk_dir(const struct cu_fs *fs, const char *dir, struct cu_digest *into)
{
    struct walk w = { fs, dir, into };

    return fs->ops->list(fs->self, dir, take_file, &w, &err);
}

static cu_hash tree_of(const struct cu_fs *fs, const char *const dirs[])
{
    struct cu_digest digest;
    cu_hash ret;

    assert_ok(cu_digest_start(CU_DIGEST_SHA256, &digest, &err));
    for (size_t i = 0; dirs[i]; i++) assert_ok(walk_dir(fs, dirs[i], &digest));
    cu_digest_finish(&digest, ret.b);
    return ret;
}

static struct run played(bool accelerate, unsigned workers)
{
    static const char *const log[] = { "node/log", "cloud/log", NULL }, *const everything[] = { "node", "cloud", NULL };
    struct run run = { 0 };
    struct cu_digest answers;
    struct cu_ledger *l;
    struct cu_engine engine;

    assert_ok(cu_memory_fs(&run.fs, &err));
    assert_ok(cu_ledger_open(&run.fs, "node/state", &l, &err));
    const struct cu_embedded_config config = {
        .fs = &run.fs,
        .lock = "node/lock",
        .journal = "node/journal",
        .log = { "node/log", "cloud/log" },
        .machine = cu_ledger_machine(l),
        .attachments = { NULL, put_nowhere, sync_nothing },
        .clock = { &run, time_of_block },
        .origin = cu_span_str("ledger.example/same"),
        .log_key = &play_keys[ORG_LOG],
        .workers = workers,
        .accelerate = accelerate,
    };
    assert_ok(cu_embedded_create(&config, &err));
    assert_ok(cu_embedded_open(&config, &engine, &err));
    assert_ok(cu_digest_start(CU_DIGEST_SHA256, &answers, &err));
    for (; run.block < p.batches_n; run.block++) submit_block(&run, &engine, &answers);
    cu_digest_finish(&answers, run.answers.b);
    run.block--;
    assert_ok(engine.close(engine.self, &err));
    run.state = state_hash_of(l);
    assert_memory_equal(cu_ledger_digest(l).b, p.batch[p.batches_n - 1].digest.b, 32);
    cu_ledger_close(l);
    run.log = tree_of(&run.fs, log);
    run.everything = tree_of(&run.fs, everything);
    run.fs.ops->close(run.fs.self);
    return run;
}

static void same(const struct run *a, const struct run *b)
{
    assert_memory_equal(a->answers.b, b->answers.b, 32);
    assert_memory_equal(a->log.b, b->log.b, 32);
    assert_memory_equal(a->state.b, b->state.b, 32);
}

static void the_log_does_not_tell_who_checked_its_signatures(void **state)
{
    const struct run off = played(false, 0), on = played(true, 0);

    (void)state;
    print_message("off: %s\non: %s\n", cu_verifier_in_use(false), cu_verifier_in_use(true));
    assert_int_equal(off.admitted, p.said_n);
    assert_int_equal(off.refused, BLOCKS * ((DEPOSITS + 2 + 3) / 4));
    same(&off, &on);
    assert_memory_equal(off.everything.b, on.everything.b, 32); /* journal, state, tiles, checkpoint: every file there is */
}

static void nor_how_many_did(void **state)
{
    const struct run one = played(false, 0), several = played(true, 3);

    (void)state;
    same(&one, &several);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_log_does_not_tell_who_checked_its_signatures),
        cmocka_unit_test(nor_how_many_did),
    };
    return cmocka_run_group_tests_name("same_log", tests, write_play, burn_play);
}
