/* From what people write to what the log holds: "C1/3", a short id, a digest, a label, a case's name. */
#include "custody/text.h"
#include "service/place.h"

#include <stdio.h>

#define ID_PREFIX_MIN 4

void cu_found_free(struct cu_found *f) { cu_buf_free(&f->mem); }

/* ---- keeping one row ---- */
struct one {
    struct cu_found *found;
    uint64_t n;
    struct cu_place *p;
};

static cu_status keep_row(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    struct one *one = arg;
    struct cu_found *f = one->found;
    const bool outcome = one->n == 1 &&
                         cu_hash_eq(&f->row.id, &row->id); /* a later one of the same claim: that is where it stands */

    if (!cu_place_sees(one->p, row)) return CU_OK;
    if (!outcome && one->n++) return CU_OK;
    f->row = *row;
    cu_buf_clear(&f->mem);
    cu_buf_add(&f->mem, row->name);
    cu_buf_add(&f->mem, row->label);
    cu_buf_add(&f->mem, row->note);
    TRY(cu_buf_ok(&f->mem, err));
    if (f->mem.n == 0) { /* no words, and maybe no memory to point into */
        f->row.name = f->row.label = f->row.note = CU_SPAN_EMPTY;
        return CU_OK;
    }
    f->row.name.p = f->mem.p;
    f->row.label.p = f->mem.p + row->name.n;
    f->row.note.p = f->mem.p + row->name.n + row->label.n;
    return CU_OK;
}

static cu_status find_one(struct cu_place *p, const struct cu_index_query *q, struct cu_found *ret, uint64_t *ret_n,
                          struct cu_err *err)
{
    struct one one = { ret, 0, p };
    struct cu_index_query all = *q;

    if (p->sight) all.limit = 0; /* of those that may be seen */
    if (!ret->mem.max) ret->mem = cu_buf_heap(65536);
    TRY(p->index.find(p->index.self, &all, keep_row, &one, err));
    *ret_n = one.n;
    return CU_OK;
}

/* ---- cases ---- */
cu_status cu_case_name_normal(struct cu_span name, struct cu_buf *ret, struct cu_err *err)
{
    bool gap = false;

    ENSURE(cu_utf8_ok(name), err, CU_USAGE, "a case's name must be valid UTF-8");
    for (size_t i = 0; i < name.n; i++) {
        const uint8_t c = name.p[i];
        ENSURE(c >= 0x20 || c == '\t', err, CU_USAGE, "a case's name must not contain control characters");
        ENSURE(c != '/', err, CU_USAGE, "a case's name must not contain '/': it separates case and exhibit, as in C1/3");
        if (c == ' ' || c == '\t') gap = ret->n > 0;
        else {
            if (gap) cu_buf_add_byte(ret, ' ');
            gap = false;
            cu_buf_add_byte(ret, c);
        }
    }
    ENSURE(ret->n > 0, err, CU_USAGE, "a case needs a name");
    ENSURE(ret->n <= CU_CASE_NAME_MAX, err, CU_USAGE, "a case's name may have at most %d bytes; this one has %zu",
           CU_CASE_NAME_MAX, ret->n);
    return cu_buf_ok(ret, err);
}

/* Names that differ in ASCII case, or in what cu_receipt_name spells alike, are one: their receipts would overwrite one another. */
static uint8_t fold(uint8_t c)
{
    if (c >= 'A' && c <= 'Z') return (uint8_t)(c | 0x20);
    return c == ' ' || c == '\\' || c == ':' ? '-' : c;
}

/* Levenshtein's distance between names of at most CU_CASE_NAME_MAX bytes, folded. */
static size_t distance(struct cu_span a, struct cu_span b)
{
    size_t row[CU_CASE_NAME_MAX + 1];

    if (a.n > CU_CASE_NAME_MAX || b.n > CU_CASE_NAME_MAX) return SIZE_MAX;
    for (size_t j = 0; j <= b.n; j++) row[j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            const size_t change = corner + (fold(a.p[i - 1]) != fold(b.p[j - 1]));
            const size_t step = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            corner = row[j];
            row[j] = change < step ? change : step;
        }
    }
    return row[b.n];
}

struct nearest {
    struct cu_span name;
    size_t best;
    struct one equal;
    char text[CU_CASE_NAME_MAX * 4 + 1];
};

static cu_status measure(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    struct nearest *n = arg;
    const size_t d = distance(n->name, row->name);

    if (!cu_place_sees(n->equal.p, row)) return CU_OK;
    if (d == 0) TRY(keep_row(&n->equal, row, err));
    if (d >= n->best) return CU_OK;
    struct cu_buf text = cu_buf_over(n->text, sizeof n->text - 1);
    cu_text_printable(&text, row->name);
    n->text[text.n] = 0;
    n->best = d;
    return CU_OK;
}

cu_status cu_lookup_case(struct cu_place *p, struct cu_span name, struct cu_found *ret, struct cu_err *err)
{
    CU_BUF normal = cu_buf_heap(4 * CU_CASE_NAME_MAX + 4096);
    uint64_t n;

    struct cu_err why = { 0 };
    ENSURE(cu_case_name_normal(name, &normal, &why) == CU_OK, err, CU_UNKNOWN_CASE, "there is no such case: %s", why.text);
    const struct cu_index_query exact = { .by = CU_FIND_CASE_NAME, .text = cu_buf_span(&normal), .limit = 1 };
    TRY(find_one(p, &exact, ret, &n, err));
    if (n) return CU_OK;
    struct nearest nearest = { .name = cu_buf_span(&normal), .best = SIZE_MAX, .equal = { ret, 0, p } };
    const struct cu_index_query all = { .by = CU_FIND_KIND, .kind = CU_KIND_CASE };
    TRY(p->index.find(p->index.self, &all, measure, &nearest, err));
    if (nearest.equal.n == 1) return CU_OK; /* the same, folded */
    ENSURE(nearest.best != SIZE_MAX && nearest.best <= 2 + normal.n / 3, err, CU_UNKNOWN_CASE,
           "there is no case \"%.*s\"; `custody case ls` lists them, `custody case open NAME` opens one", (int)normal.n,
           (const char *)normal.p);
    return cu_fail(err, CU_UNKNOWN_CASE,
                   "there is no case \"%.*s\"; did you mean \"%s\"? (`custody case ls` lists them; `custody case open NAME` "
                   "opens a new one)",
                   (int)normal.n, (const char *)normal.p, nearest.text);
}

/* ---- exhibits, ids, digests, labels ---- */
static cu_status by_exhibit(struct cu_place *p, struct cu_span name, struct cu_found *ret, bool *ret_hit, struct cu_err *err)
{
    struct cu_span case_name = name;
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
    uint64_t number, n;
    size_t slash = name.n;

    while (slash > 0 && name.p[slash - 1] != '/') slash--;
    if (slash == 0) return CU_OK;
    case_name.n = slash - 1;
    if (cu_decimal_read(cu_span(name.p + slash, name.n - slash), UINT32_MAX, &number, NULL) != CU_OK) return CU_OK;
    if (cu_lookup_case(p, case_name, &found, err) != CU_OK) return CU_OK; /* a label may have slashes too */
    const struct cu_index_query q = { .by = CU_FIND_EXHIBIT, .case_id = found.row.case_id, .number = number };
    TRY(find_one(p, &q, ret, &n, err));
    *ret_hit = n == 1;
    return CU_OK;
}

static bool is_hex(struct cu_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f'))) return false;
    return s.n > 0;
}

static cu_status by_hex(struct cu_place *p, struct cu_span name, struct cu_found *ret, uint64_t *ret_n, struct cu_err *err)
{
    struct cu_index_query q = { .by = CU_FIND_ID_PREFIX, .text = name, .limit = 4 };

    TRY(find_one(p, &q, ret, ret_n, err));
    if (*ret_n || name.n != 64) return CU_OK;
    q.by = CU_FIND_SHA256;
    TRY(cu_hex_read(name, q.hash.b, sizeof q.hash.b, err));
    return find_one(p, &q, ret, ret_n, err);
}

cu_status cu_lookup(struct cu_place *p, struct cu_span name, struct cu_found *ret, struct cu_err *err)
{
    CU_BUF shown = cu_buf_heap(16384);
    uint64_t n = 0;
    bool hit = false;

    TRY(by_exhibit(p, name, ret, &hit, err));
    if (hit) return CU_OK;
    if (name.n >= ID_PREFIX_MIN && name.n <= 64 && is_hex(name)) TRY(by_hex(p, name, ret, &n, err));
    if (n == 0) {
        const struct cu_index_query label = { .by = CU_FIND_LABEL, .text = name, .limit = 4 };
        TRY(find_one(p, &label, ret, &n, err));
    }
    if (n == 1) return CU_OK;
    cu_text_printable(&shown, name);
    ENSURE(n == 0, err, CU_AMBIGUOUS, "more than one thing matches \"%.*s\": give more digits, or the exhibit number",
           (int)shown.n, (const char *)shown.p);
    return cu_fail(err, CU_NOT_FOUND,
                   "nothing here is called \"%.*s\": an exhibit is written C1/3, an id with at least %d of its hex digits; "
                   "`custody ls` lists what there is",
                   (int)shown.n, (const char *)shown.p, ID_PREFIX_MIN);
}

cu_status cu_lookup_seq(struct cu_place *p, cu_seq seq, struct cu_found *ret, struct cu_err *err)
{
    const struct cu_index_query q = { .by = CU_FIND_SEQ, .seq = seq };
    uint64_t n;

    TRY(find_one(p, &q, ret, &n, err));
    ENSURE(n == 1, err, CU_NOT_FOUND, "the index has no entry at position %llu", (unsigned long long)seq.v);
    return CU_OK;
}

cu_status cu_exhibit_name(struct cu_place *p, const struct cu_index_row *row, struct cu_buf *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { .mem = cu_buf_heap(65536) };
    struct one one = { &found, 0, p };
    const struct cu_index_query q = { .by = CU_FIND_CASE, .case_id = row->case_id, .kind = CU_KIND_CASE };

    if (row->has_case) {
        TRY(p->index.find(p->index.self, &q, keep_row, &one, err));
        const bool named = found.row.name.n || !(p->sight || p->remote.ops); /* else it is another's, and only its id is known */
        if (one.n) cu_text_printable(ret, found.row.name);
        if (row->kind == CU_KIND_DEPOSIT && named) cu_buf_addf(ret, "/%llu", (unsigned long long)row->number);
    }
    cu_buf_add_byte(ret, 0);
    TRY(cu_buf_ok(ret, err));
    ret->n--;
    return CU_OK;
}

/* ---- parties and copies ---- */
struct cu_span cu_party_named(const struct cu_place *p, uint64_t party)
{
    struct cu_party_name name;
    enum cu_profile profile;
    union cu_details details;
    size_t at = 0;

    if (p->genesis_details.n < CU_SALT_LEN) return cu_membership_name(&p->later, party);
    if (cu_details_read(cu_span(p->genesis_details.p + CU_SALT_LEN, p->genesis_details.n - CU_SALT_LEN), &profile, &details,
                        NULL) != CU_OK)
        return cu_membership_name(&p->later, party);
    while (profile == CU_PROFILE_GENESIS && cu_list_next(&details.genesis.parties, &cu_party_name_schema, &at, &name))
        if (name.id == party) return name.name;
    return cu_membership_name(&p->later, party);
}

struct cu_span cu_key_holder(const struct cu_place *p, const cu_hash *kid)
{
    const struct cu_member_key *key = cu_members_key(&p->members, kid);

    return key ? cu_party_named(p, key->party) : CU_SPAN_EMPTY;
}

uint64_t cu_organisation_of(const struct cu_place *p, const cu_hash *kid)
{
    const struct cu_member_key *key = cu_members_key(&p->members, kid);
    const struct cu_member_party *party = key ? cu_members_party(&p->members, key->party) : NULL;

    return party ? party->organisation : 0;
}

struct copies {
    uint64_t seen;
    uint64_t n;
}; /* a bit per party: there are at most 64 */

static cu_status count_copy(void *arg, const struct cu_index_stored *stored, struct cu_err *err)
{
    struct copies *c = arg;
    const uint64_t bit = stored->party ? UINT64_C(1) << (stored->party - 1) % 64 : 0;

    (void)err;
    if (bit && !(c->seen & bit)) c->n++;
    c->seen |= bit;
    return CU_OK;
}

cu_status cu_copies(struct cu_place *p, cu_seq deposit, uint64_t *ret, struct cu_err *err)
{
    struct copies c = { 0 };

    TRY(p->index.find_stored(p->index.self, deposit, count_copy, &c, err));
    *ret = c.n;
    return CU_OK;
}

struct own_copy {
    uint64_t party;
    bool ret;
};

static cu_status is_own(void *arg, const struct cu_index_stored *stored, struct cu_err *err)
{
    struct own_copy *own = arg;

    (void)err;
    own->ret |= stored->party == own->party;
    return CU_OK;
}

cu_status cu_copied_by(struct cu_place *p, cu_seq deposit, uint64_t party, bool *ret, struct cu_err *err)
{
    struct own_copy own = { party, false };

    TRY(p->index.find_stored(p->index.self, deposit, is_own, &own, err));
    *ret = own.ret;
    return CU_OK;
}

static cu_status take_outcome(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    struct cu_claim_outcome *o = arg;

    (void)err;
    if (row->kind == CU_KIND_DEPOSIT || (row->kind == CU_KIND_REFUSAL && o->kind == CU_KIND_NONE))
        *o = (struct cu_claim_outcome){ row->kind, row->seq, row->kid, row->size };
    return CU_OK;
}

cu_status cu_lookup_outcome(struct cu_place *p, const cu_hash *id, struct cu_claim_outcome *ret, struct cu_err *err)
{
    char hex[65];

    cu_hash_hex(id, hex);
    const struct cu_index_query q = { .by = CU_FIND_ID_PREFIX, .text = cu_span_str(hex) };
    *ret = (struct cu_claim_outcome){ .kind = CU_KIND_NONE };
    TRY(p->index.find(p->index.self, &q, take_outcome, ret, err));
    ENSURE(ret->kind != CU_KIND_NONE, err, CU_NOT_FOUND, "no outcome of that claim is recorded");
    return CU_OK;
}
