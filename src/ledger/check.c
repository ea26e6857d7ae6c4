/* Reading every byte of a saved state again: what `check` asks. */
#include "ledger/inside.h"
#include "ledger/snapshot.h"
#include "ledger/saved.h"

bool cu_ledger_may_rebuild(const struct cu_fs *fs, const char *dir)
{
    struct cu_state_head head;
    cu_hash sum;
    cu_status status = cu_state_head_read(fs, dir, &head, &sum, NULL);

    return status == CU_NOT_FOUND || (status == CU_OK && !head.clean);
}

/* A row of a known table, in the one form that its schema writes. */
static cu_status check_row(void *arg, struct cu_span key, struct cu_span value, struct cu_err *err)
{
    const struct cu_table_info *table = cu_table_info(key.p[0]);
    union {
        struct cu_row_ledger a;
        struct cu_row_member_key b;
        struct cu_row_signer c;
        struct cu_row_case d;
        struct cu_row_proposal e;
    } row;

    (void)arg;
    ENSURE(table, err, CU_CORRUPT, "state: a row of table %u, which is unknown", key.p[0]);
    CU_ASSERT(table->row->size <= sizeof row);
    cu_status status = cu_schema_read(table->row, value, &row, err); /* canonical, so there is no other form of the same row */
    return status == CU_OK ? CU_OK : cu_fail_while(err, CU_CORRUPT, "state, table %s", table->name);
}

static void close_state(struct cu_state *s) { cu_state_free(s); }
static void close_saved(struct cu_saved **s) { cu_saved_close(*s, NULL); }

cu_status cu_ledger_state_check(const struct cu_fs *fs, const char *dir, struct cu_tip *ret_tip, cu_hash *ret_hash,
                                struct cu_err *err)
{
    CU_CLEANUP(close_state) struct cu_state state;
    CU_CLEANUP(close_saved) struct cu_saved *store = NULL;
    struct cu_mark mark = { 0 };
    cu_hash hash;

    cu_state_init(&state);
    TRY(cu_saved_open(fs, dir, false, &store, &state, &mark, err));
    if (state.snapshot) TRY(cu_snapshot_check(state.snapshot, err));
    TRY(cu_state_walk(&state, check_row, NULL, err));
    TRY(cu_state_hash(&state, &mark, &hash, err));
    *ret_tip = cu_mark_tip(&mark);
    *ret_hash = hash;
    return CU_OK;
}
