/* What a case or a key has: a tree over the ids of its deposits, and the numbers that are open.
 *
 * (1) The tree of a scope with n deposits: for each set bit k of n, row NODE(scope, k) is the root of its complete subtree of
 *     2^k leaves, the largest first; rows of other levels are left over and mean nothing. An append changes one row.
 * (2) Open numbers of a key are those below its highest that nobody holds; none is below lowest_open.
 */
#include "ledger/inside.h"

#include <stdlib.h>

void cu_scope_append(struct cu_state *s, struct cu_span scope, uint64_t n, const cu_hash *leaf)
{
    struct cu_row_hash node = { *leaf }, left;
    unsigned level = 0;

    for (; n >> level & 1; level++)
        if (cu_state_get(s, cu_at_node(scope, level), &left))
            node.v = cu_node_hash(&left.v, &node.v); /* by (1); absent is trouble */
    cu_state_put(s, cu_at_node(scope, level), &node);
}

cu_hash cu_scope_root(struct cu_state *s, struct cu_span scope, uint64_t n)
{
    struct cu_row_hash node;
    cu_hash root = cu_empty_root();
    bool first = true;

    for (unsigned level = 0; level < 64; level++) {
        if (!(n >> level & 1) || !cu_state_get(s, cu_at_node(scope, level), &node)) continue;
        root = first ? node.v : cu_node_hash(&node.v, &root);
        first = false;
    }
    return root;
}

/* ---- open numbers -------------------------------------------------------------------------------------------------- */

/* How many numbers of a key are open (2); their encodings go to `out`. */
static uint64_t open_numbers(struct cu_state *s, const cu_hash *kid, const struct cu_row_signer *signer, struct cu_buf *out)
{
    uint64_t n = 0;

    for (uint64_t serial = signer->lowest_open; serial < signer->highest; serial++) {
        if (cu_state_has(s, cu_at_numbered(CU_TABLE_SERIAL, cu_span_hash(kid), serial))) continue;
        cu_cbor_put_uint(out, serial);
        n++;
    }
    return n;
}

/* Add [kid, [n, …]] when the key has open numbers. */
static cu_status add_open(struct cu_state *s, const cu_hash *kid, struct cu_list *io, uint64_t *total, struct cu_buf *mem,
                          uint64_t *changed, struct cu_err *err)
{
    uint8_t numbers[CU_INVENTORY_OPEN_MAX * 9 + 9];
    struct cu_buf out = cu_buf_over(numbers, sizeof numbers);
    struct cu_row_signer signer;

    if (!cu_state_get(s, cu_at(CU_TABLE_SIGNER, cu_span_hash(kid)), &signer)) return CU_OK;
    if (signer.reopened > *changed) *changed = signer.reopened;
    uint64_t n = open_numbers(s, kid, &signer, &out);
    if (n == 0) return CU_OK;
    *total += n;
    ENSURE(*total <= CU_INVENTORY_OPEN_MAX, err, CU_TOO_LARGE, "more than %d numbers are open: no inventory can list them",
           CU_INVENTORY_OPEN_MAX);
    cu_cbor_put_array(mem, 2);
    cu_cbor_put_bytes(mem, cu_span_hash(kid));
    cu_cbor_put_array(mem, n);
    cu_buf_add(mem, cu_buf_span(&out));
    io->n++;
    return CU_OK;
}

static int by_bytes(const void *a, const void *b) { return memcmp(a, b, sizeof(cu_hash)); }

/* The depositors' keys with a deposit in the case, ascending. */
static size_t keys_of_case(struct cu_state *s, const struct cu_inventory *of, uint64_t n, cu_hash ret[CU_CASE_KEYS_MAX])
{
    size_t found = 0;

    for (uint64_t i = 0; i < n && found < CU_CASE_KEYS_MAX; i++)
        found += cu_state_get(s, cu_at_numbered(CU_TABLE_CASE_KEY, CU_SPAN_OF(of->case_id.b), i), &ret[found]);
    qsort(ret, found, sizeof *ret, by_bytes);
    return found;
}
_Static_assert(sizeof(struct cu_row_hash) == sizeof(cu_hash), "a row of one hash is a hash");

/* ---- the whole ----------------------------------------------------------------------------------------------------- */

static void fill(struct cu_state *s, struct cu_span scope, uint64_t n, const cu_hash *last, struct cu_inventory *io)
{
    io->n = n;
    io->root = cu_scope_root(s, scope, n);
    io->has_last = n > 0;
    io->last = *last;
}

static cu_status true_of_case(struct cu_state *s, struct cu_inventory *io, struct cu_buf *mem, uint64_t *changed,
                              struct cu_err *err)
{
    struct cu_row_case row;
    cu_hash kids[CU_CASE_KEYS_MAX];
    uint64_t total = 0;

    ENSURE(cu_state_get(s, cu_at(CU_TABLE_CASE, CU_SPAN_OF(io->case_id.b)), &row), err, CU_UNKNOWN_CASE, "no such case is open");
    *changed = row.deposits ? row.deposited : row.seq;
    fill(s, CU_SPAN_OF(io->case_id.b), row.deposits, &row.last, io);
    size_t n = keys_of_case(s, io, row.keys, kids);
    for (size_t i = 0; i < n; i++) TRY(add_open(s, &kids[i], &io->open, &total, mem, changed, err));
    return CU_OK;
}

/* A key that never signed a claim has nothing: true, too. */
static cu_status true_of_key(struct cu_state *s, struct cu_inventory *io, struct cu_buf *mem, uint64_t *changed,
                             struct cu_err *err)
{
    struct cu_row_signer row = { 0 };
    uint64_t total = 0;

    (void)!cu_state_get(s, cu_at(CU_TABLE_SIGNER, cu_span_hash(&io->kid)), &row);
    *changed = row.deposited;
    fill(s, cu_span_hash(&io->kid), row.deposits, &row.last, io);
    return add_open(s, &io->kid, &io->open, &total, mem, changed, err);
}

cu_status cu_inventory_true(struct cu_state *s, struct cu_inventory *io, struct cu_buf *mem, uint64_t *ret_changed,
                            struct cu_err *err)
{
    struct cu_inventory out = *io;
    size_t from = mem->n;

    out.open = (struct cu_list){ 0 };
    TRY(out.has_case ? true_of_case(s, &out, mem, ret_changed, err) : true_of_key(s, &out, mem, ret_changed, err));
    TRY(cu_buf_ok(mem, err));
    TRY(cu_state_trouble(s, err));
    out.open.bytes = mem->n > from ? cu_span(mem->p + from, mem->n - from) : CU_SPAN_EMPTY;
    *io = out;
    return CU_OK;
}
