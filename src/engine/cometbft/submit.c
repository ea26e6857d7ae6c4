/* From records to transactions, and from their outcomes back to whoever waits.
 *
 * (1) A transaction is in a file of the outbox, synced, before it is handed to the consensus engine, and stays there until every record
 *     of it has an outcome. What is found there by the next process is packed anew: who is recorded already is a duplicate.
 * (2) A file is overwritten with the next transaction only when its own is settled. Clearing one is not synced: see (1).
 * (3) At most CU_CHAIN_FLIGHT are on their way, in the order of arrival. Consensus may invert two of them: a record that was refused
 *     for its turn while another transaction of this node was on its way is packed anew, a few times.
 *     Where one is on its way the next one waits for company: by however many records it is one to gossip, to sign for and to sync.
 * (4) Whoever waits is told when what he submitted is dated, or, if its height admitted nothing, when that is committed.
 * (5) What is on its way belongs to the slot: whoever no longer waits takes nothing of it along.
 * (6) The lock is held for what is in memory; files, signatures and the engine are the packer's alone, who holds no lock then.
 */
#include "engine/cometbft/submit.h"

#include "engine/cometbft/clock.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SLOTS (CU_CHAIN_FLIGHT + 2) /* what is packed anew needs a second file while the first one lies there: by (1) */
#define TURNS_MAX 8u
#define TICK_MS 200u

struct request {
    struct request *next;
    const struct cu_span *records;
    struct cu_outcome *ret;
    size_t n, taken, done;
    cu_status failed; /* the outbox could not be written */
    struct cu_err why;
    pthread_cond_t answered;
};

struct item {
    struct cu_span record; /* in the slot's tx */
    struct request *whose; /* NULL: nobody waits */
    size_t which;
    unsigned turns;
    struct cu_outcome outcome;
};

enum state { FREE, PACKED, JUDGED, AGAIN, SETTLED };
struct slot {
    enum state state;
    bool behind; /* (3) */
    struct cu_buf tx;
    cu_hash digest;
    uint64_t sent; /* ms; 0: not yet */
    size_t n;
    struct item item[CU_SUBMIT_RECORDS_MAX];
};

struct cu_sender {
    struct cu_sender_config config;
    struct cu_chain *chain;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* for the packer */
    struct request *first, *last;
    struct slot slot[SLOTS];
    struct cu_submission subs[CU_SUBMIT_RECORDS_MAX]; /* the packer's */
    struct cu_buf file;                               /* the packer's */
    uint64_t packed, settled;                         /* ms: when anything was, last */
    bool still;                                       /* somebody waited in vain since then */
    bool runs, ending;
    pthread_t packer;
};

static unsigned flight(const struct cu_sender *s)
{
    unsigned n = 0;

    for (unsigned i = 0; i < SLOTS; i++) n += s->slot[i].state != FREE && s->slot[i].state != SETTLED;
    return n;
}

/* ---- answers ---- lock held ---- */

static void answer(struct item *it)
{
    struct request *r = it->whose;

    if (!r) return;
    it->whose = NULL;
    r->ret[it->which] = it->outcome;
    if (++r->done == r->n) pthread_cond_signal(&r->answered);
}

static void fail_request(struct request *r, cu_status status, const struct cu_err *why)
{
    r->failed = status;
    r->why = *why;
    pthread_cond_signal(&r->answered);
}

/* Statuses that an earlier record of the same node may have changed, had it come first. */
static bool of_turn(cu_status status)
{
    return status == CU_UNKNOWN_CASE || status == CU_UNKNOWN_TARGET || status == CU_UNKNOWN_BLOCK || status == CU_OUT_OF_ORDER ||
           status == CU_BAD_SERIAL || status == CU_NOT_CONFIRMED || status == CU_UNKNOWN_KEY;
}

/* Those that come again stay, in front. */
static void settle(struct cu_sender *s, struct slot *slot)
{
    size_t kept = 0;

    for (size_t i = 0; i < slot->n; i++) {
        struct item *it = &slot->item[i];
        if (slot->behind && of_turn(it->outcome.status) && ++it->turns < TURNS_MAX) slot->item[kept++] = *it; /* (3) */
        else answer(it);
    }
    slot->n = kept;
    slot->state = kept > 0 ? AGAIN : SETTLED;
    s->settled = cu_monotonic_ms();
    s->still = false;
    pthread_cond_signal(&s->changed);
}

/* ---- what the chain tells ---- */

static void note_outcome(struct item *it, const struct cu_submission *sub)
{
    it->outcome = (struct cu_outcome){ .status = sub->status, .id = sub->id };
    if (sub->status == CU_OK || sub->status == CU_DUPLICATE) it->outcome.seq = sub->seq;
    if (sub->status == CU_OK) it->outcome.leaf = sub->entry.leaf;
    else memcpy(it->outcome.text, sub->text, sizeof it->outcome.text);
}

static void judged(void *self, struct cu_span tx, const struct cu_submission *subs, size_t n)
{
    struct cu_sender *s = self;
    const cu_hash digest = cu_sha256(tx);

    pthread_mutex_lock(&s->lock);
    for (unsigned i = 0; i < SLOTS; i++) {
        struct slot *slot = &s->slot[i];
        if ((slot->state != PACKED && slot->state != JUDGED) || slot->n != n || !cu_hash_eq(&slot->digest, &digest)) continue;
        for (size_t k = 0; k < n; k++) note_outcome(&slot->item[k], &subs[k]);
        slot->state = JUDGED;
    }
    pthread_mutex_unlock(&s->lock);
}

static void tell(struct cu_sender *s, const cu_seq *block, cu_unix_ms closed)
{
    pthread_mutex_lock(&s->lock);
    for (unsigned i = 0; i < SLOTS; i++) {
        struct slot *slot = &s->slot[i];
        if (slot->state != JUDGED) continue;
        for (size_t k = 0; block && k < slot->n; k++)
            if (slot->item[k].outcome.status == CU_OK)
                slot->item[k].outcome.block = *block, slot->item[k].outcome.closed = closed;
        settle(s, slot);
    }
    pthread_mutex_unlock(&s->lock);
}

static void committed(void *self, bool admitted)
{
    if (!admitted) tell(self, NULL, (cu_unix_ms){ 0 }); /* (4) */
}

static void dated(void *self, cu_seq block, cu_unix_ms closed) { tell(self, &block, closed); }

struct cu_chain_listener cu_sender_listener(struct cu_sender *s)
{
    return (struct cu_chain_listener){ s, judged, committed, dated };
}

/* ---- packing ---- the packer alone; the lock is held on entry and on return ---- */

static struct slot *free_slot(struct cu_sender *s)
{
    for (unsigned i = 0; i < SLOTS; i++)
        if (s->slot[i].state == FREE) return &s->slot[i];
    return NULL;
}

static void begin_tx(struct slot *slot)
{
    cu_buf_clear(&slot->tx);
    (void)cu_buf_grow(&slot->tx, CU_CHAIN_NONCE);
    slot->n = 0;
}

/* Records are copied: by (5). Spans are set when the buffer no longer moves. */
static void add_item(struct slot *slot, struct cu_span record, struct request *whose, size_t which, unsigned turns)
{
    slot->item[slot->n++] = (struct item){ .record = { NULL, record.n }, .whose = whose, .which = which, .turns = turns };
    cu_buf_add(&slot->tx, record);
}

static bool fits(const struct slot *slot, struct cu_span record)
{
    return slot->n < CU_SUBMIT_RECORDS_MAX && slot->tx.n + record.n <= CU_CHAIN_TX_MAX;
}

static void pop(struct cu_sender *s)
{
    s->first = s->first->next;
    if (!s->first) s->last = NULL;
}

static void take_waiting(struct cu_sender *s, struct slot *slot)
{
    begin_tx(slot);
    while (s->first) {
        struct request *r = s->first;
        const struct cu_span record = r->records[r->taken];
        if (record.n <= CU_RECORD_MAX && !fits(slot, record)) return;
        if (record.n <= CU_RECORD_MAX) add_item(slot, record, r, r->taken, 0);
        else {
            struct item it = { .whose = r, .which = r->taken, .outcome = { .status = CU_TOO_LARGE } };
            snprintf(it.outcome.text, sizeof it.outcome.text, "the record has %zu bytes; at most %d are taken", record.n,
                     CU_RECORD_MAX);
            answer(&it);
        }
        if (++r->taken == r->n) pop(s);
    }
}

static void take_again(struct slot *from, struct slot *slot)
{
    begin_tx(slot);
    for (size_t i = 0; i < from->n; i++)
        add_item(slot, from->item[i].record, from->item[i].whose, from->item[i].which, from->item[i].turns);
}

static void place_spans(struct slot *slot)
{
    size_t at = CU_CHAIN_NONCE;

    for (size_t i = 0; i < slot->n; at += slot->item[i++].record.n) slot->item[i].record.p = slot->tx.p + at;
}

/* What no node would take is answered here; the others move together. Were all of these verified? */
static bool sift(struct cu_sender *s, struct slot *slot)
{
    size_t kept = 0, at = CU_CHAIN_NONCE;
    bool verified = true;

    for (size_t i = 0; i < slot->n; i++) {
        struct item it = slot->item[i];
        struct cu_submission *sub = &s->subs[i];
        if (sub->status == CU_OK && !sub->verified && sub->entry.signed_) {
            sub->status = CU_UNKNOWN_KEY;
            snprintf(sub->text, sizeof sub->text, "a signing key is not enrolled in this ledger");
        }
        if (sub->status != CU_OK) {
            note_outcome(&it, sub);
            answer(&it);
            continue;
        }
        verified = verified && sub->verified;
        memmove(slot->tx.p + at, it.record.p, it.record.n);
        at += it.record.n;
        slot->item[kept++] = it;
    }
    slot->n = kept;
    slot->tx.n = at;
    place_spans(slot);
    return verified;
}

/* An outbox file has the form of a height's: docs/formats/chain.md. */
static cu_status write_slot(struct cu_sender *s, const struct slot *slot, struct cu_err *err)
{
    const struct cu_fs *fs = s->config.fs;
    const unsigned i = (unsigned)(slot - s->slot);
    CU_CLEANUP(cu_file_close) struct cu_file *file = NULL;
    const struct cu_height is = { .height = i + 1,
                                  .count = (uint32_t)slot->n,
                                  .records = cu_span_from(cu_buf_span(&slot->tx), CU_CHAIN_NONCE) };
    static const uint8_t nothing[CU_HEIGHT_HEADER];
    char path[256];

    snprintf(path, sizeof path, "%s/outbox-%u", s->config.dir, i);
    cu_buf_clear(&s->file);
    if (slot->n > 0) cu_height_put(&is, &s->file);
    else cu_buf_add(&s->file, CU_SPAN_OF(nothing));
    TRY(cu_buf_ok(&s->file, err));
    TRY(fs->ops->open(fs->self, path, CU_OPEN_WRITE, &file, err));
    TRY(file->ops->write_at(file, 0, cu_buf_span(&s->file), err));
    return slot->n > 0 ? file->ops->sync(file, err) : CU_OK; /* (2) */
}

static void fail_slot(struct slot *slot, cu_status status, const struct cu_err *why)
{
    for (size_t i = 0; i < slot->n; i++)
        if (slot->item[i].whose) fail_request(slot->item[i].whose, status, why);
    slot->n = 0;
    slot->state = SETTLED;
}

static cu_status make_tx(struct cu_sender *s, struct slot *slot, struct cu_err *err)
{
    cu_status made = s->config.random.fill(s->config.random.self, slot->tx.p, CU_CHAIN_NONCE, err);

    if (made == CU_OK) made = write_slot(s, slot, err); /* (1) */
    slot->digest = cu_sha256(cu_buf_span(&slot->tx));
    return made;
}

static bool pack(struct cu_sender *s, struct slot *slot, bool behind)
{
    struct cu_err why = { 0 };
    cu_status made = cu_buf_ok(&slot->tx, &why);
    bool verified = false;

    slot->state = AGAIN; /* counts as on its way, and nobody looks for it yet */
    pthread_mutex_unlock(&s->lock);
    if (made == CU_OK) {
        place_spans(slot);
        for (size_t i = 0; i < slot->n; i++) s->subs[i] = (struct cu_submission){ .bytes = slot->item[i].record };
        cu_chain_prepare(s->chain, s->subs, slot->n);
    }
    pthread_mutex_lock(&s->lock);
    if (made == CU_OK) verified = sift(s, slot);
    if (made == CU_OK && slot->n == 0) {
        slot->state = FREE; /* nothing of it was written */
        return true;
    }
    pthread_mutex_unlock(&s->lock);
    if (made == CU_OK) made = make_tx(s, slot, &why);
    if (made == CU_OK && verified) cu_chain_verified(s->chain, &slot->digest);
    pthread_mutex_lock(&s->lock);
    if (made != CU_OK) {
        fail_slot(slot, made, &why);
        return false;
    }
    s->packed = cu_monotonic_ms();
    slot->behind = behind;
    slot->sent = 0;
    slot->state = PACKED;
    return true;
}

/* The other slot's file is there before this one's is cleared. When it could not be written all stays here, and nobody waits any more. */
static bool pack_again(struct cu_sender *s, struct slot *from, struct slot *to)
{
    const unsigned others = flight(s) - 1;

    take_again(from, to);
    const bool packed = pack(s, to, others > 0);
    for (size_t i = 0; i < from->n; i++) from->item[i].whose = NULL;
    if (packed) from->n = 0, from->state = SETTLED;
    return packed;
}

/* (3) */
static bool has_company(const struct cu_sender *s)
{
    size_t n = 0;

    for (const struct request *r = s->first; r && n < CU_SUBMIT_RECORDS_MAX; r = r->next) n += r->n - r->taken;
    return n >= CU_SUBMIT_RECORDS_MAX || cu_monotonic_ms() - s->packed >= CU_CHAIN_GATHER_MS;
}

static bool pack_something(struct cu_sender *s)
{
    struct slot *to = free_slot(s);

    for (unsigned i = 0; i < SLOTS && to; i++) {
        if (s->slot[i].state == AGAIN) return pack_again(s, &s->slot[i], to);
    }
    const unsigned before = flight(s);
    if (!s->first || !to || before >= CU_CHAIN_FLIGHT || (before > 0 && !has_company(s))) return false;
    take_waiting(s, to);
    return to->n == 0 || pack(s, to, before > 0);
}

static bool clear_something(struct cu_sender *s)
{
    for (unsigned i = 0; i < SLOTS; i++) {
        struct slot *slot = &s->slot[i];
        if (slot->state != SETTLED) continue;
        pthread_mutex_unlock(&s->lock);
        (void)write_slot(s, slot, NULL); /* what stays there is a duplicate */
        pthread_mutex_lock(&s->lock);
        slot->state = FREE;
        return true;
    }
    return false;
}

static bool send_something(struct cu_sender *s)
{
    const uint64_t now = cu_monotonic_ms();

    for (unsigned i = 0; i < SLOTS; i++) {
        struct slot *slot = &s->slot[i];
        if (slot->state != PACKED || (slot->sent && now - slot->sent < s->config.resend_ms)) continue;
        slot->sent = now;
        pthread_mutex_unlock(&s->lock);
        const cu_status sent = s->config.broadcast(s->config.arg, cu_buf_span(&slot->tx),
                                                   NULL); /* while PACKED its bytes stay as they are */
        pthread_mutex_lock(&s->lock);
        if (sent != CU_OK && slot->state == PACKED) slot->sent = now - s->config.resend_ms + TICK_MS;
        return true;
    }
    return false;
}

static void wait_a_tick(struct cu_sender *s)
{
    const bool gathers = s->first && flight(s) < CU_CHAIN_FLIGHT;
    const struct timespec until = cu_monotonic_in(gathers ? CU_CHAIN_GATHER_MS : TICK_MS);

    if (flight(s) == 0) pthread_cond_wait(&s->changed, &s->lock);
    else pthread_cond_timedwait(&s->changed, &s->lock, &until);
}

static void *run_packer(void *self)
{
    struct cu_sender *s = self;

    pthread_mutex_lock(&s->lock);
    while (!s->ending)
        if (!send_something(s) && !pack_something(s) && !clear_something(s)) wait_a_tick(s);
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* ---- submitting ---- */

static void unlink_request(struct cu_sender *s, struct request *r)
{
    struct request **at = &s->first;

    while (*at && *at != r) at = &(*at)->next;
    if (*at) *at = r->next;
    s->last = NULL;
    for (struct request *one = s->first; one; one = one->next) s->last = one;
    for (unsigned i = 0; i < SLOTS; i++) /* (5) */
        for (size_t k = 0; k < s->slot[i].n; k++)
            if (s->slot[i].item[k].whose == r) s->slot[i].item[k].whose = NULL;
}

static cu_status outcome_of(struct cu_sender *s, const struct request *r, struct cu_err *err)
{
    if (r->failed != CU_OK) return cu_fail(err, r->failed, "%s: it may not be recorded; submit it again", r->why.text);
    if (r->done == r->n) return CU_OK;
    s->still = true;
    return cu_fail(err, CU_INTERRUPTED,
                   "the organisations have not decided within %u ms: %zu of %zu records wait in this node's outbox, and go on by "
                   "themselves when more than "
                   "two thirds are there again. Submit them once more to learn what became of them: each is recorded once",
                   s->config.wait_ms, r->taken - r->done, r->n);
}

static void append(struct cu_sender *s, struct request *r)
{
    if (s->last) s->last->next = r;
    else s->first = r;
    s->last = r;
    pthread_cond_signal(&s->changed);
}

cu_status cu_sender_submit(struct cu_sender *s, const struct cu_span *records, size_t n, struct cu_outcome *ret,
                           struct cu_err *err)
{
    struct request r = { .records = records, .ret = ret, .n = n };
    const struct timespec until = cu_monotonic_in(s->config.wait_ms);

    if (n == 0) return CU_OK;
    cu_monotonic_cond(&r.answered);
    pthread_mutex_lock(&s->lock);
    const bool taken = !(s->still && flight(s) > 0) && !s->ending;
    if (taken) append(s, &r);
    while (taken && r.done < n && r.failed == CU_OK && !s->ending)
        if (pthread_cond_timedwait(&r.answered, &s->lock, &until) != 0) break;
    unlink_request(s, &r);
    cu_status status = taken ? outcome_of(s, &r, err)
                             : cu_fail(err, CU_BUSY,
                                       "the organisations decide nothing now: nothing was taken. What is recorded can be read; "
                                       "try again when more than two "
                                       "thirds of them are there");
    pthread_mutex_unlock(&s->lock);
    pthread_cond_destroy(&r.answered);
    return status;
}

unsigned cu_sender_flight(struct cu_sender *s)
{
    pthread_mutex_lock(&s->lock);
    const unsigned n = flight(s);
    pthread_mutex_unlock(&s->lock);
    return n;
}

/* ---- opening and closing ---- */

static cu_status read_slot(struct cu_sender *s, unsigned i, struct cu_err *err)
{
    const struct cu_fs *fs = s->config.fs;
    struct cu_span records[CU_SUBMIT_RECORDS_MAX];
    struct slot *slot = &s->slot[i];
    struct cu_height is;
    size_t n = 0;
    char path[256];

    snprintf(path, sizeof path, "%s/outbox-%u", s->config.dir, i);
    cu_buf_clear(&s->file);
    const cu_status read = cu_fs_read(fs, path, CU_CHAIN_TX_MAX + CU_HEIGHT_HEADER, &s->file, err);
    if (read == CU_NOT_FOUND) {
        CU_CLEANUP(cu_file_close) struct cu_file *file = NULL;
        TRY(fs->ops->open(fs->self, path, CU_OPEN_WRITE | CU_OPEN_CREATE, &file, err));
        return fs->ops->sync_dir(fs->self, s->config.dir, err);
    }
    TRY(read);
    if (cu_height_read(cu_buf_span(&s->file), &is, NULL) != CU_OK) return CU_OK; /* empty, or torn: never sent */
    if (cu_records_split(is.records, records, CU_SUBMIT_RECORDS_MAX, &n, NULL) != CU_OK) return CU_OK;
    begin_tx(slot);
    for (size_t k = 0; k < n; k++) add_item(slot, records[k], NULL, 0, 0);
    TRY(cu_buf_ok(&slot->tx, err));
    place_spans(slot);
    slot->state = AGAIN;
    return CU_OK;
}

void cu_sender_stop(struct cu_sender *s)
{
    if (!s) return;
    pthread_mutex_lock(&s->lock);
    s->ending = true;
    for (struct request *r = s->first; r; r = r->next) pthread_cond_signal(&r->answered);
    for (unsigned i = 0; i < SLOTS; i++)
        for (size_t k = 0; k < s->slot[i].n; k++)
            if (s->slot[i].item[k].whose) pthread_cond_signal(&s->slot[i].item[k].whose->answered);
    pthread_cond_signal(&s->changed);
    pthread_mutex_unlock(&s->lock);
    if (s->runs) pthread_join(s->packer, NULL);
    s->runs = false;
}

void cu_sender_free(struct cu_sender *s)
{
    if (!s) return;
    cu_sender_stop(s);
    for (unsigned i = 0; i < SLOTS; i++) cu_buf_free(&s->slot[i].tx);
    cu_buf_free(&s->file);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->changed);
    free(s);
}

static void free_at(struct cu_sender **s) { cu_sender_free(*s); }

cu_status cu_sender_new(const struct cu_sender_config *config, struct cu_sender **ret, struct cu_err *err)
{
    CU_CLEANUP(free_at) struct cu_sender *s = calloc(1, sizeof *s);

    ENSURE(s, err, CU_NO_MEMORY, "no memory for what a node submits");
    s->config = *config;
    if (!s->config.wait_ms) s->config.wait_ms = CU_CHAIN_WAIT_MS;
    if (!s->config.resend_ms) s->config.resend_ms = CU_CHAIN_RESEND_MS;
    pthread_mutex_init(&s->lock, NULL);
    cu_monotonic_cond(&s->changed);
    s->file = cu_buf_heap(CU_CHAIN_TX_MAX + CU_HEIGHT_HEADER);
    for (unsigned i = 0; i < SLOTS; i++) s->slot[i].tx = cu_buf_heap(CU_CHAIN_TX_MAX);
    TRY(config->fs->ops->make_dir(config->fs->self, config->dir, err));
    for (unsigned i = 0; i < SLOTS; i++) TRY(read_slot(s, i, err));
    *ret = s;
    s = NULL;
    return CU_OK;
}

cu_status cu_sender_start(struct cu_sender *s, struct cu_chain *chain, struct cu_err *err)
{
    s->chain = chain;
    s->runs = pthread_create(&s->packer, NULL, run_packer, s) == 0;
    ENSURE(s->runs, err, CU_NO_MEMORY, "no thread for what a node submits");
    return CU_OK;
}
