/* The chain of trust of a ledger, from its log as it lies: what proves each change of keys to whoever trusts those before.
 *
 * (1) The members are led on as by whoever will follow it, so a step stands exactly where he looks for one.
 * (2) None leaves that does not lead from the network id to what is said of it.
 */
#include "service/cosigned.h"
#include "service/service.h"

#include "custody/text.h"

#include <stdio.h>
#include <stdlib.h>

struct making {
    struct cu_place *p;
    struct cu_members members;
    struct cu_buf at, keys, now, steps; /* positions of all entries about members; organisations' lines; what is made */
    struct cu_buf entries, seqs;        /* of the step that is being made: cu_chain_entry, cu_seq */
    uint64_t block, steps_n;            /* of the change that it is about; 0: there is none yet */
};

static void making_free(struct making *m)
{
    struct cu_buf *all[] = { &m->at, &m->keys, &m->now, &m->steps, &m->entries, &m->seqs };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) cu_buf_free(all[i]);
    free(m);
}

static cu_status note_seq(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    struct making *m = arg;

    cu_buf_add(&m->at, cu_span((const uint8_t *)&row->seq.v, sizeof row->seq.v));
    return cu_buf_ok(&m->at, err);
}

static int by_position(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static cu_status find_entries(struct making *m, struct cu_err *err)
{
    static const enum cu_kind kinds[] = { CU_KIND_CONFIRM, CU_KIND_MEMBER, CU_KIND_PROPOSE, CU_KIND_APPROVE };

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const struct cu_index_query q = { .by = CU_FIND_KIND, .kind = kinds[i] };
        TRY(m->p->index.find(m->p->index.self, &q, note_seq, m, err));
    }
    if (m->at.n) qsort(m->at.p, m->at.n / sizeof(uint64_t), sizeof(uint64_t), by_position);
    return CU_OK;
}

static cu_status add_entry(struct making *m, uint64_t seq, struct cu_span *ret, struct cu_err *err)
{
    struct cu_chain_entry e = { .seq = seq };

    TRY(cu_log_entry(&m->p->log, (cu_seq){ seq }, &e.entry, err));
    TRY(cu_schema_write(&cu_chain_entry_schema, &e, &m->entries, err));
    cu_buf_add(&m->seqs, cu_span((const uint8_t *)&seq, sizeof seq));
    if (ret) *ret = e.entry;
    return cu_buf_ok(&m->seqs, err);
}

/* With all signatures that are known here, or as this node signed it. */
static cu_status last_of_epoch(struct making *m, cu_size size, struct cu_buf *ret, struct cu_err *err)
{
    char path[64];

    if (cu_cosigned_get(m->p, size, ret, NULL) == CU_OK) return CU_OK;
    cu_buf_clear(ret);
    cu_epoch_last_path(size, path);
    ENSURE(cu_fs_read(&m->p->fs, path, CU_NOTE_MAX, ret, NULL) == CU_OK, err, CU_NOT_FOUND,
           "the checkpoint of %llu entries, the last that the keys before a change signed, is not kept here: the change cannot "
           "be proven "
           "from this folder; ask another organisation of the network for its chain",
           LLU(size.v));
    return CU_OK;
}

static cu_status write_step(struct making *m, struct cu_err *err)
{
    const struct cu_node_source nodes = cu_tile_node_source(&m->p->log.nodes);
    CU_BUF note = cu_buf_heap(CU_NOTE_MAX);
    CU_BUF hashes = cu_buf_heap(CU_TRUST_CHAIN_MAX);
    const cu_size size = { m->block + 1 };
    size_t n = 0;

    TRY(add_entry(m, m->block, NULL, err));
    const size_t entries = m->seqs.n / sizeof(cu_seq), max = CU_TRUST_CHAIN_MAX / sizeof(cu_hash);
    TRY(last_of_epoch(m, size, &note, err));
    cu_hash *room = (cu_hash *)cu_buf_grow(&hashes, max * sizeof *room);
    ENSURE(room, err, CU_NO_MEMORY, "no memory for the hashes of a chain of trust");
    TRY(cu_multiproof_make(&nodes, (const cu_seq *)(const void *)m->seqs.p, entries, size, NULL, room, max, &n, err));
    const struct cu_chain_step step = { cu_buf_span(&note),
                                        { entries, cu_buf_span(&m->entries) },
                                        cu_span((const uint8_t *)room, n * sizeof *room) };
    TRY(cu_schema_write(&cu_chain_step_schema, &step, &m->steps, err));
    cu_buf_clear(&m->entries);
    cu_buf_clear(&m->seqs);
    m->steps_n++;
    m->block = 0;
    return CU_OK;
}

static cu_status is_changed(struct making *m, bool *ret, struct cu_err *err)
{
    cu_buf_clear(&m->now);
    TRY(cu_trust_of_members(&m->members, m->p->genesis.outer.body.genesis.origin, NULL, &m->now, err));
    *ret = !cu_span_eq(cu_buf_span(&m->now), cu_buf_span(&m->keys));
    return CU_OK;
}

static cu_status end_block(struct making *m, struct cu_err *err)
{
    bool changed;

    TRY(is_changed(m, &changed, err));
    if (!changed) m->block = 0;
    if (!m->block || m->block >= m->p->log.checkpoint.size.v) return CU_OK;
    cu_buf_clear(&m->keys);
    cu_buf_add(&m->keys, cu_buf_span(&m->now));
    return write_step(m, err);
}

static cu_status take(struct making *m, uint64_t seq, struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
    struct cu_entry entry;
    struct cu_span bytes;
    bool changed;

    if (m->block && seq > m->block) TRY(end_block(m, err));
    TRY(add_entry(m, seq, &bytes, err));
    TRY(cu_entry_read(bytes, &entry, err));
    TRY(cu_members_take(&m->members, &entry.outer, (cu_seq){ seq }, false, &m->p->verifier, err));
    if (m->block) return CU_OK;
    TRY(is_changed(m, &changed, err));
    if (!changed) return CU_OK;
    TRY(cu_lookup_seq(m->p, (cu_seq){ seq }, &found, err));
    m->block = found.row.block.v;
    return CU_OK;
}

static cu_status make(struct making *m, struct cu_buf *out, struct cu_err *err)
{
    const struct cu_genesis *genesis = &m->p->genesis.outer.body.genesis;
    const uint64_t *at;

    TRY(cu_members_from_genesis(genesis, &m->p->trust.network, &m->members, err));
    TRY(cu_trust_of_members(&m->members, genesis->origin, NULL, &m->keys, err));
    TRY(find_entries(m, err));
    at = (const uint64_t *)(const void *)m->at.p;
    for (size_t i = 0; i < m->at.n / sizeof *at && at[i] < m->p->log.checkpoint.size.v; i++) TRY(take(m, at[i], err));
    if (m->block) TRY(end_block(m, err));
    const struct cu_trust_chain chain = { cu_buf_span(&m->p->genesis_bytes), { m->steps_n, cu_buf_span(&m->steps) } };
    return cu_schema_write(&cu_trust_chain_schema, &chain, out, err);
}

cu_status cu_trust_chain_ask(const struct cu_remote *from, const cu_hash *network, struct cu_verifier *by, struct cu_buf *out,
                             struct cu_buf *ret_trust, size_t *ret_steps, struct cu_err *err)
{
    struct cu_trust_chain chain;
    unsigned http;

    TRY(from->ops->ask(from->self, "v1/trust/chain", CU_SPAN_EMPTY, &http, out, err));
    ENSURE(http == 200, err, http == 404 ? CU_NOT_FOUND : CU_IO,
           "the node hands out no chain of trust (its answer is %u): just after a change it may lack the others' cosignatures, "
           "so ask "
           "again, or ask another organisation's node",
           http);
    TRY(cu_schema_read(&cu_trust_chain_schema, cu_buf_span(out), &chain, err));
    const cu_hash begins = cu_leaf_hash(chain.genesis);
    return cu_trust_follow(cu_buf_span(out), CU_SPAN_EMPTY, network ? network : &begins, by, ret_trust, ret_steps, err);
}

cu_status cu_trust_chain_make(struct cu_place *p, struct cu_buf *out, struct cu_buf *ret_trust, size_t *ret_steps,
                              struct cu_err *err)
{
    if (p->remote.ops) return cu_trust_chain_ask(&p->remote, &p->trust.network, &p->verifier, out, ret_trust, ret_steps, err);
    struct making *m = calloc(1, sizeof *m);
    ENSURE(m, err, CU_NO_MEMORY, "no memory for a chain of trust");
    m->p = p;
    m->at = cu_buf_heap(CU_TRUST_CHAIN_MAX);
    m->keys = cu_buf_heap(CU_TRUST_MAX);
    m->now = cu_buf_heap(CU_TRUST_MAX);
    m->steps = cu_buf_heap(CU_TRUST_CHAIN_MAX);
    m->entries = cu_buf_heap(CU_TRUST_CHAIN_MAX);
    m->seqs = cu_buf_heap(CU_CHAIN_ENTRIES_MAX * sizeof(cu_seq));
    cu_status made = make(m, out, err);
    making_free(m);
    if (made == CU_OK)
        made = cu_trust_follow(cu_buf_span(out), CU_SPAN_EMPTY, &p->trust.network, &p->verifier, ret_trust, ret_steps,
                               err); /* (2) */
    return made;
}
