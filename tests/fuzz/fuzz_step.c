/* Sequences of records before the step function. Whatever comes, it answers; and what it admitted, replayed alone into a second
 * ledger, leads to the same block entries byte for byte.
 *
 *     an input is a run of   op (1)  length (2)  bytes
 *     op 0: a record, its signatures taken on trust   1: a record, judged whole   2: close the batch   3: abandon it */
#include "custody/tree.h"
#include "ledger/ledger.h"

#include <stdlib.h>

enum { RECORDS_MAX = 64 };
enum op { TRUSTED, JUDGED, CLOSE, ABANDON };

struct run {
    struct cu_ledger *l, *again;
    struct cu_verifier by;
    uint64_t now, height;
    bool open;
    struct cu_span admitted[RECORDS_MAX];
    size_t n;
};

static void must(cu_status status) { CU_ASSERT(status == CU_OK); }

static void open_batch(struct run *r)
{
    const struct cu_machine m = cu_ledger_machine(r->l);

    if (r->open) return;
    must(m.begin(m.self, ++r->height, (cu_unix_ms){ r->now }, NULL));
    r->open = true;
    r->n = 0;
}

static void say(struct run *r, struct cu_span record, bool trusted)
{
    const struct cu_machine m = cu_ledger_machine(r->l);
    struct cu_submission sub = { .bytes = record, .trusted = trusted };

    open_batch(r);
    uint64_t size = m.frontier(m.self)->size.v;
    m.prepare(m.self, &sub, 1, &r->by);
    must(m.step(m.self, &sub, NULL));
    CU_ASSERT(m.frontier(m.self)->size.v == size + (sub.status == CU_OK));
    if (sub.status == CU_OK && r->n < RECORDS_MAX) r->admitted[r->n++] = record;
}

static void replay(struct run *r, struct cu_span block)
{
    const struct cu_machine m = cu_ledger_machine(r->again);
    uint8_t mem[512];
    struct cu_buf made = cu_buf_over(mem, sizeof mem);

    must(m.begin(m.self, r->height, (cu_unix_ms){ r->now }, NULL));
    for (size_t i = 0; i < r->n; i++) {
        struct cu_submission sub = { .bytes = r->admitted[i], .trusted = true };
        m.prepare(m.self, &sub, 1, &r->by);
        must(m.step(m.self, &sub, NULL));
        must(sub.status);
    }
    must(m.end(m.self, (cu_unix_ms){ r->now }, &made, NULL));
    CU_ASSERT(cu_span_eq(cu_buf_span(&made), block));
    must(m.commit(m.self, NULL));
}

static void close_batch(struct run *r)
{
    const struct cu_machine m = cu_ledger_machine(r->l);
    uint8_t mem[512];
    struct cu_buf block = cu_buf_over(mem, sizeof mem);

    open_batch(r);
    must(m.end(m.self, (cu_unix_ms){ r->now }, &block, NULL));
    must(m.commit(m.self, NULL));
    replay(r, cu_buf_span(&block));
    r->now += 1000;
    r->open = false;
}

static void abandon(struct run *r)
{
    const struct cu_machine m = cu_ledger_machine(r->l);

    m.abandon(m.self);
    r->open = false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run r = { .by = cu_verifier_plain(), .now = 1000000 };
    cu_hash a, b;
    unsigned records = 0;

    must(cu_crypto_init(NULL));
    must(cu_ledger_open(NULL, NULL, &r.l, NULL));
    must(cu_ledger_open(NULL, NULL, &r.again, NULL));
    while (size >= 3 && records < RECORDS_MAX) {
        size_t n = cu_be16(data + 1), left = size - 3;
        struct cu_span bytes = cu_span(data + 3, n < left ? n : left);
        switch ((enum op)(data[0] & 3)) {
        case TRUSTED: records++, say(&r, bytes, true); break;
        case JUDGED: records++, say(&r, bytes, false); break;
        case CLOSE: close_batch(&r); break;
        case ABANDON: abandon(&r); break;
        }
        data += 3 + bytes.n, size -= 3 + bytes.n;
    }
    abandon(&r);
    must(cu_ledger_state_hash(r.l, &a, NULL));
    must(cu_ledger_state_hash(r.again, &b, NULL));
    CU_ASSERT(cu_hash_eq(&a, &b));
    cu_ledger_close(r.l);
    cu_ledger_close(r.again);
    return 0;
}
