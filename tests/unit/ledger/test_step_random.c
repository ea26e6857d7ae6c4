/* Random conversations, good and bad, with saves, reopenings and abandoned batches. Held against a model that says each status by
 * the words of the rules alone; and then replayed from the entries: same blocks, same digests, same state, bit by bit.
 *
 *     SEED=17 test_step_random       one conversation again */
#include "play.h"

#include "adapters/memory/memory.h"

enum { KEYS = 2, SERIALS = 7, VARIANTS = 2, CASES = 3, NOTICES = 3, ACTIONS = 90 };

/* What the rules make of one number of one key. */
struct number {
    enum { FREE, CLAIM, VOID } held;
    int by;
    enum { NONE, REFUSED, LATE, DEPOSITED } outcome[VARIANTS];
    bool voided[VARIANTS], signed_[VARIANTS];
    struct cu_claim claim[VARIANTS];
};
/* What they make of a notice. */
struct asked {
    cu_hash id;
    uint64_t deadline, deposits;
    bool there, heard, late;
    enum { OPEN, REFUSAL, ANSWERED } answer;
};
struct model {
    struct asked asked[NOTICES];
    struct number number[KEYS][SERIALS + 1];
    bool case_open[CASES + 1];
    uint64_t exhibits[CASES + 1];
};

static struct play p;
static struct cu_fs fs;
static struct model now, committed;
static uint64_t seed, dice, provider_serial;
#include "play_notice.h"

static uint64_t roll(uint64_t sides)
{
    dice ^= dice << 13, dice ^= dice >> 7, dice ^= dice << 17;
    return dice % sides;
}

static void expect(cu_status wanted, cu_status got, const char *what)
{
    if (got != wanted)
        fail_msg("SEED=%llu: %s: %s (%s), the rules say %s", (unsigned long long)seed, what, cu_status_name(got), p.sub.text,
                 cu_status_name(wanted));
}

/* ---- one action: the model's word, then the ledger's ------------------------------------------------------------------ */

struct choice {
    int key, serial, variant;
    struct number *n;
    enum who who;
    uint8_t in_case;
};

static struct choice choose(void)
{
    struct choice c = { (int)roll(KEYS), (int)roll(SERIALS) + 1, (int)roll(VARIANTS), NULL, OFFICER, 0 };

    c.n = &now.number[c.key][c.serial];
    c.who = c.key ? CLERK : OFFICER;
    struct cu_claim *claim = &c.n->claim[c.variant];
    if (!c.n->signed_[c.variant]) {
        *claim = play_claim(&p, (uint64_t)c.serial);
        claim->size += (uint64_t)c.variant;
        claim->case_id = (cu_case_id){ { (uint8_t)(1 + (c.serial + c.variant) % CASES) } };
        c.n->signed_[c.variant] = committed.number[c.key][c.serial].signed_[c.variant] =
            true; /* an abandoned batch takes no signature back */
        committed.number[c.key][c.serial].claim[c.variant] = *claim;
    }
    c.in_case = claim->case_id.b[0];
    claims_so(&p, c.who, claim);
    return c;
}

static cu_status taken(const struct choice *c)
{
    return c->n->held == FREE || (c->n->held == CLAIM && c->n->by == c->variant) ? CU_OK : CU_SERIAL_TAKEN;
}

static void hold(struct choice *c) { c->n->held = CLAIM, c->n->by = c->variant; }

static void someone_accepts(void)
{
    struct choice c = choose();
    cu_status wanted = c.n->outcome[c.variant] == DEPOSITED ? CU_DUPLICATE
                       : !now.case_open[c.in_case]          ? CU_UNKNOWN_CASE
                                                            : taken(&c);

    expect(wanted, accepts(&p), "deposit");
    if (wanted != CU_OK) return;
    hold(&c);
    c.n->outcome[c.variant] = DEPOSITED;
    now.exhibits[c.in_case]++;
}

static void someone_refuses(void)
{
    struct choice c = choose();
    cu_status wanted = c.n->outcome[c.variant] == REFUSED                          ? CU_DUPLICATE
                       : c.n->outcome[c.variant] >= LATE || c.n->voided[c.variant] ? CU_OUTRANKED
                                                                                   : taken(&c);

    expect(wanted, refuses(&p), "refusal");
    if (wanted != CU_OK) return;
    hold(&c);
    c.n->outcome[c.variant] = REFUSED;
}

static void someone_voids(void)
{
    struct choice c = choose();
    bool named = roll(2);
    cu_status wanted = c.n->held == FREE                                     ? CU_OK
                       : named && c.n->held == CLAIM && c.n->by == c.variant ? CU_OUTRANKED
                                                                             : CU_SERIAL_TAKEN;

    p.now++; /* another void each time */
    expect(wanted, voids(&p, c.who, (uint64_t)c.serial, named ? &p.claim_id : NULL), "void");
    if (wanted != CU_OK) return;
    if (named) hold(&c), c.n->voided[c.variant] = true;
    else c.n->held = VOID;
}

/* When the open batch began, or the next one will. */
static uint64_t opened(void) { return p.open ? p.batch[p.batches_n].opened : p.now; }

static void a_claim_is_late(void)
{
    p.now++;
    struct choice c = choose();
    cu_status wanted = c.n->outcome[c.variant] == LATE                                    ? CU_DUPLICATE
                       : c.n->outcome[c.variant] != NONE || c.n->voided[c.variant]        ? CU_OUTRANKED
                       : opened() <= c.n->claim[c.variant].time + p.policy.acceptance_age ? CU_UNTRUE
                                                                                          : taken(&c);

    expect(wanted, claim_times_out(ORG), "timeout of a claim");
    if (wanted != CU_OK) return;
    hold(&c);
    c.n->outcome[c.variant] = LATE;
}

static void someone_asks(void)
{
    struct asked *a = &now.asked[roll(NOTICES)];
    struct cu_notice body = a_notice();

    if (a->there) return;
    body.deadline = opened() + roll(3) * 4000;
    p.now++;
    expect(body.deadline <= opened() ? CU_STALE : CU_OK, asks_so(OFFICER, &body, &a->id), "notice");
    a->there = body.deadline > opened();
    a->deadline = body.deadline;
}

static void the_provider_hears(struct asked *a)
{
    expect(a->heard ? CU_DUPLICATE : CU_OK, acknowledges(PROVIDER, &a->id), "acknowledge");
    a->heard = true;
}

static void the_provider_gives(struct asked *a)
{
    claims_against(PROVIDER, &a->id, ++provider_serial);
    expect(CU_OK, receives(ORG), "deposit against a notice");
    a->deposits++;
    now.exhibits[p.case_id.b[0]]++;
}

/* The root is that of the ledger's last batch, so an answer is tried only when nothing came since. */
static void the_provider_answers(struct asked *a)
{
    struct cu_notice_standing s;

    if (p.open || cu_ledger_notice(p.l, &a->id, &s, &err) != CU_OK) return;
    cu_status wanted = a->answer == ANSWERED || (a->answer == REFUSAL && !a->deposits) ? CU_DUPLICATE : CU_OK;
    assert_int_equal(s.deposits, a->deposits);
    expect(wanted, answers_so(PROVIDER, &a->id, s.deposits, &s.root), "answer");
    if (wanted == CU_OK) a->answer = s.deposits ? ANSWERED : REFUSAL;
}

static void a_notice_is_late(struct asked *a)
{
    cu_status wanted = a->late ? CU_DUPLICATE : a->answer != OPEN || opened() <= a->deadline ? CU_UNTRUE : CU_OK;

    expect(wanted, times_out(ORG, &a->id), "timeout of a notice");
    a->late |= wanted == CU_OK;
}

static void something_comes_of_a_notice(void)
{
    static void (*const steps[])(struct asked *) = { the_provider_hears, the_provider_gives, the_provider_answers,
                                                     a_notice_is_late };
    struct asked *a = &now.asked[roll(NOTICES)];

    p.now++;
    if (a->there) steps[roll(sizeof steps / sizeof *steps)](a);
}

static void someone_opens_a_case(void)
{
    uint8_t number = (uint8_t)(roll(CASES - 1) + 1); /* the last one is never opened */

    p.now++;
    expect(now.case_open[number] ? CU_CASE_EXISTS : CU_OK, opens_case(&p, OFFICER, number), "case");
    now.case_open[number] = true;
}

static void someone_says_something_else(void)
{
    p.now++;
    switch (roll(4)) {
    case 0: expect(CU_OK, stores(&p, ORG, 0, 2), "stored"); break;
    case 1: expect(CU_OK, reads(&p, ORG), "access"); break;
    case 2: expect(CU_OK, corrects(&p, CLERK, &p.network), "correction"); break;
    case 3: expect(CU_WRONG_ROLE, reads(&p, PROVIDER), "access by the provider"); break;
    }
}

/* ---- between batches --------------------------------------------------------------------------------------------------- */

static void reopen(void)
{
    cu_hash before = state_hash_of(p.l), after;

    assert_ok(p.m.save(p.m.self, &err));
    cu_ledger_close(p.l);
    assert_ok(cu_ledger_open(&fs, "node/state", &p.l, &err));
    p.m = cu_ledger_machine(p.l);
    after = state_hash_of(p.l);
    if (!cu_hash_eq(&before, &after)) fail_msg("SEED=%llu: opened, it is another state", (unsigned long long)seed);
}

static void end_batch(void)
{
    if (p.open && roll(5) == 0) {
        play_abandon(&p);
        now = committed;
        return;
    }
    play_close(&p);
    committed = now;
    if (roll(6) == 0) assert_ok(p.m.save(p.m.self, &err));
    if (roll(10) == 0) reopen();
}

static void judge_end(void)
{
    for (uint8_t c = 1; c <= CASES; c++) {
        uint64_t n = 0;
        cu_seq at;
        if (!now.case_open[c]) continue;
        assert_ok(cu_ledger_case(p.l, &(cu_case_id){ { c } }, &n, &at, &err));
        assert_int_equal(n, now.exhibits[c]);
    }
    for (int k = 0; k < KEYS; k++)
        for (uint64_t s = 1; s <= SERIALS; s++) {
            cu_hash holder;
            cu_status found = cu_ledger_serial(p.l, kid_of(k ? CLERK : OFFICER), s, &holder, &err);
            assert_int_equal(found, now.number[k][s].held == FREE ? CU_NOT_FOUND : CU_OK);
        }
}

static void replay(void)
{
    struct cu_ledger *l;
    cu_hash a = state_hash_of(p.l), b;

    assert_ok(cu_ledger_open(NULL, NULL, &l, &err));
    struct cu_machine m = cu_ledger_machine(l);
    for (size_t i = 0; i < p.batches_n; i++) {
        replay_batch(&m, &p, &p.batch[i]);
        cu_hash digest = cu_ledger_digest(l);
        assert_memory_equal(&digest, &p.batch[i].digest, sizeof digest);
    }
    b = state_hash_of(l);
    if (!cu_hash_eq(&a, &b)) fail_msg("SEED=%llu: replayed, it is another state", (unsigned long long)seed);
    cu_ledger_close(l);
}

static void converse(void)
{
    static void (*const actions[])(void) = { someone_accepts,
                                             someone_accepts,
                                             someone_accepts,
                                             someone_refuses,
                                             someone_refuses,
                                             someone_voids,
                                             someone_opens_a_case,
                                             someone_says_something_else,
                                             a_claim_is_late,
                                             someone_asks,
                                             something_comes_of_a_notice,
                                             something_comes_of_a_notice };

    dice = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
    assert_ok(cu_memory_fs(&fs, &err));
    play_start(&p, &fs);
    memset(&now, 0, sizeof now);
    now.case_open[1] = true;
    committed = now;
    for (int i = 0; i < ACTIONS; i++) {
        actions[roll(sizeof actions / sizeof *actions)]();
        if (roll(4) == 0) end_batch();
    }
    play_close(&p);
    judge_end();
    replay();
    play_stop(&p);
    fs.ops->close(fs.self);
}

static void a_random_conversation_follows_the_rules_and_replays_to_the_same_state(void **state)
{
    const char *only = getenv("SEED");

    (void)state;
    for (seed = only ? strtoull(only, NULL, 10) : 0; seed < (only ? strtoull(only, NULL, 10) + 1 : 40); seed++) converse();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_random_conversation_follows_the_rules_and_replays_to_the_same_state),
    };
    return cmocka_run_group_tests(tests, play_make_keys, play_free_keys);
}
