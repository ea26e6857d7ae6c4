/* (1) What was signed last is durable before its signature leaves, in the one of two places where what was signed before it does not lie. What comes later in the chain's order (height, round, step) is signed; the
 *     very same gets the same signature once more, though at another time of day; everything else is refused.
 * (2) A vote of this key in the chain, above what was signed last, was made by a state that is newer than this one, or by another machine.
 *     So that it is found out before and not after this one votes, it waits until it has caught up with its peers.
 * (3) A state that began anew, is behind what this node has committed, or has a damaged place, may have signed anything up to the height under way when it is first
 *     asked: it lets that one go by or, where the chain cannot go on without it, the rounds of the first CU_VOTER_WAIT_MS.
 *     A key that is not in force signed nothing yet.
 * (4) CometBFT asks once a turn, and where too few have voted there is no next turn: who refused one, and might sign it now, says so, and
 *     CometBFT is started again. So it is when it goes on with a key that is not in force any more.
 * (5) A key has its state, whatever the other one signed: one that is put in force may vote where the old one voted, for they are two validators.
 *     Of the two that one signs which the ledger's state has among the validators of the next height.
 */
#include "engine/cometbft/voter.h"

#include "custody/digest.h"
#include "custody/limits.h"
#include "custody/text.h"
#include "engine/cometbft/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MAGIC "cusvotes"
#define TAG "custody/votes/v1\n"
#define VERSION 1u
#define FRAME_MAX 10240u /* CometBFT's own bound */
#define RETRY_MS 20

enum step { PROPOSE = 1, PREVOTE, PRECOMMIT };
enum { TYPE_PREVOTE = 1, TYPE_PRECOMMIT = 2, TYPE_PROPOSAL = 32 }; /* CometBFT's SignedMsgType */
enum { FLAG_COMMIT = 2, FLAG_NIL = 3 };                            /* its BlockIDFlag: it voted */

/* A turn of the chain, and what of it was signed. */
struct turn {
    uint64_t height;
    uint32_t round, step;
};
struct state {
    struct turn at;
    bool waits; /* (3) */
    struct cu_abci_timestamp time;
    cu_hash what; /* was signed, but for its time */
    uint8_t signature[CU_SIGNATURE_LEN];
};

/* A key, and what it signed (5). */
struct hand {
    const struct cu_private_key *key;
    const char *path;
    cu_hash address; /* its first 20 bytes are the validator's */
    struct state state;
    unsigned place;              /* where the next one is written (1) */
    uint64_t waits_at, since_ms; /* (3): the height that goes by; 0: not asked yet */
    bool behind;                 /* (3) */
};

struct cu_voter {
    struct cu_voter_config config;
    pthread_mutex_t lock;
    struct hand hand[2];
    size_t hands, validators;
    struct hand *signs;      /* NULL: neither */
    const struct hand *told; /* which CometBFT goes on with; NULL: it did not ask yet */
    bool caught_up, fallen;  /* (2) */
    uint64_t refused_ms;     /* (4): when it refused something that nothing was signed after; 0: nothing */
    uint64_t stale_ms;       /* (4): since when it goes on with another key; 0: it does not */
};

/* ---- the state's file ---- */

enum { AT_HEIGHT = 16, AT_SECONDS = 32, AT_WHAT = 48, AT_SIGNATURE = 80, AT_DIGEST = 144, STATE_BYTES = 176 };
#define PLACE 4096u /* the two places lie so far apart */
#define FILE_BYTES (PLACE + STATE_BYTES)

static cu_hash digest_of(const struct cu_private_key *key, const uint8_t *bytes)
{
    const struct cu_span parts[] = { cu_span_str(TAG), cu_span_hash(&key->id), cu_span(bytes, AT_DIGEST) };
    return cu_sha256_parts(parts, 3);
}

static void put_state(const struct cu_private_key *key, const struct state *s, uint8_t p[STATE_BYTES])
{
    memset(p, 0, STATE_BYTES);
    memcpy(p, MAGIC, 8); // NOLINT(bugprone-not-null-terminated-result): bytes of a file
    cu_put_be32(p + 8, VERSION);
    cu_put_be32(p + 12, s->waits);
    cu_put_be64(p + AT_HEIGHT, s->at.height);
    cu_put_be32(p + AT_HEIGHT + 8, s->at.round);
    cu_put_be32(p + AT_HEIGHT + 12, s->at.step);
    cu_put_be64(p + AT_SECONDS, (uint64_t)s->time.seconds);
    cu_put_be64(p + AT_SECONDS + 8, (uint64_t)s->time.nanos);
    memcpy(p + AT_WHAT, s->what.b, sizeof s->what.b);
    memcpy(p + AT_SIGNATURE, s->signature, sizeof s->signature);
    const cu_hash digest = digest_of(key, p);
    memcpy(p + AT_DIGEST, digest.b, sizeof digest.b);
}

static cu_status save(const struct cu_fs *fs, struct hand *h, const struct state *s, struct cu_err *err)
{
    CU_CLEANUP(cu_file_close) struct cu_file *file = NULL;
    uint8_t p[STATE_BYTES];

    put_state(h->key, s, p);
    TRY(fs->ops->open(fs->self, h->path, CU_OPEN_WRITE, &file, err));
    TRY(file->ops->write_at(file, (uint64_t)h->place * PLACE, CU_SPAN_OF(p), err));
    TRY(file->ops->sync(file, err));
    h->place = !h->place;
    h->state = *s;
    return CU_OK;
}

#define RESUME                                                                                                                  \
    "Make sure that no other machine runs with this organisation's keys; then `custody network resume`: it votes again behind " \
    "what the chain has"

static int compare(const struct turn *a, const struct turn *b)
{
    if (a->height != b->height) return a->height < b->height ? -1 : 1;
    if (a->round != b->round) return a->round < b->round ? -1 : 1;
    return (a->step > b->step) - (a->step < b->step);
}

static bool is_empty(const uint8_t *p)
{
    for (size_t i = 0; i < STATE_BYTES; i++)
        if (p[i]) return false;
    return true;
}

/* NOT_FOUND: nothing was written there yet. */
static cu_status read_state(const struct cu_private_key *key, const uint8_t *p, struct state *ret)
{
    if (is_empty(p)) return CU_NOT_FOUND;
    const cu_hash digest = digest_of(key, p);
    if (memcmp(p, MAGIC, 8) != 0 || memcmp(p + AT_DIGEST, digest.b, sizeof digest.b) != 0) return CU_CORRUPT;
    if (cu_be32(p + 8) != VERSION) return CU_NEWER_FORMAT;
    *ret = (struct state){ .at = { cu_be64(p + AT_HEIGHT), cu_be32(p + AT_HEIGHT + 8), cu_be32(p + AT_HEIGHT + 12) },
                           .waits = cu_be32(p + 12) != 0,
                           .time = { true, (int64_t)cu_be64(p + AT_SECONDS), (int64_t)cu_be64(p + AT_SECONDS + 8) } };
    memcpy(ret->what.b, p + AT_WHAT, sizeof ret->what.b);
    memcpy(ret->signature, p + AT_SIGNATURE, sizeof ret->signature);
    return CU_OK;
}

/* The later of the two. The other one is written next. */
static cu_status load(const struct cu_fs *fs, struct hand *h, struct cu_err *err)
{
    CU_BUF bytes = cu_buf_heap(FILE_BYTES + 1);
    struct state s[2];
    cu_status is[2] = { CU_CORRUPT, CU_CORRUPT };
    const cu_status read = cu_fs_read(fs, h->path, FILE_BYTES + 1, &bytes, err);

    if (read == CU_NOT_FOUND)
        return cu_fail(err, read, "%s is not there, so what this organisation voted for in the chain is not known. " RESUME,
                       h->path);
    if (read != CU_TOO_LARGE) TRY(read);
    for (unsigned i = 0; i < 2 && bytes.n == FILE_BYTES; i++) is[i] = read_state(h->key, bytes.p + i * PLACE, &s[i]);
    ENSURE(is[0] != CU_NEWER_FORMAT && is[1] != CU_NEWER_FORMAT, err, CU_NEWER_FORMAT, "%s was written by a newer version",
           h->path);
    ENSURE(is[0] == CU_OK || is[1] == CU_OK, err, CU_CORRUPT,
           "%s is damaged, or another key's, so what this organisation voted for in the chain is not known. " RESUME, h->path);
    const unsigned last = is[0] != CU_OK || (is[1] == CU_OK && compare(&s[1].at, &s[0].at) > 0);
    h->behind = is[!last] == CU_CORRUPT; /* (3) */
    h->place = last;
    return save(fs, h, &s[last], err); /* it may not be durable yet: its process ended before it was synced. The same bytes */
}

cu_status cu_voter_begin(const struct cu_fs *fs, const char *path, const struct cu_private_key *key, bool anew,
                         struct cu_err *err)
{
    const struct state nothing = { .waits = anew };
    uint8_t p[FILE_BYTES] = { 0 };
    char tmp[4200];

    if (!anew && cu_fs_exists(fs, path)) return CU_OK;
    put_state(key, &nothing, p);
    snprintf(tmp, sizeof tmp, "%s-incoming", path);
    return cu_fs_replace(fs, path, tmp, CU_SPAN_OF(p), true, err);
}

static void close_at(struct cu_voter **s) { cu_voter_close(*s); }

static cu_status open_hand(const struct cu_fs *fs, const struct cu_private_key *key, const char *path, struct hand *ret,
                           struct cu_err *err)
{
    CU_ASSERT(key->pub.alg == CU_ALG_EDDSA);
    *ret = (struct hand){ .key = key, .path = path, .address = cu_sha256(cu_public_span(&key->pub)) };
    return load(fs, ret, err);
}

cu_status cu_voter_open(const struct cu_voter_config *config, struct cu_voter **ret, struct cu_err *err)
{
    CU_CLEANUP(close_at) struct cu_voter *s = calloc(1, sizeof *s);

    ENSURE(s, err, CU_NO_MEMORY, "no memory for a validator's votes");
    s->config = *config;
    s->hands = config->next ? 2 : 1;
    s->signs = &s->hand[0];
    s->validators = config->validators;
    pthread_mutex_init(&s->lock, NULL);
    TRY(open_hand(config->fs, config->key, config->path, &s->hand[0], err));
    if (config->next) TRY(open_hand(config->fs, config->next, config->next_path, &s->hand[1], err));
    *ret = s;
    s = NULL;
    return CU_OK;
}

void cu_voter_close(struct cu_voter *s)
{
    if (!s) return;
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* ---- what is signed: CometBFT's types/canonical.go, a length and the message ---- */

static void put_tag(struct cu_buf *out, unsigned number, unsigned wire) { cu_buf_add_byte(out, (uint8_t)(number << 3 | wire)); }

static void put_fixed(struct cu_buf *out, unsigned number, uint64_t v)
{
    if (v == 0) return;
    put_tag(out, number, 1);
    for (unsigned i = 0; i < 8; i++) cu_buf_add_byte(out, (uint8_t)(v >> 8 * i));
}

static void put_varint(struct cu_buf *out, unsigned number, int64_t v)
{
    if (v == 0) return;
    put_tag(out, number, 0);
    cu_pb_put_varint(out, (uint64_t)v);
}

static void put_bytes(struct cu_buf *out, unsigned number, struct cu_span bytes)
{
    if (bytes.n == 0) return;
    put_tag(out, number, 2);
    cu_pb_put_varint(out, bytes.n);
    cu_buf_add(out, bytes);
}

static void put_message(struct cu_buf *out, unsigned number, const struct cu_pb_message *of, const void *message)
{
    put_tag(out, number, 2);
    cu_pb_put_varint(out, cu_pb_size(of, message));
    cu_pb_write(of, message, out);
}

/* A vote for no block has none. Its header is on the wire though it be empty, as Go writes what cannot be nil. */
static void put_block(struct cu_buf *out, unsigned number, struct cu_abci_block_id id)
{
    if (id.hash.n == 0 && id.part_set_header.total == 0 && id.part_set_header.hash.n == 0) return;
    id.part_set_header.there = true;
    put_message(out, number, &cu_abci_block_id_table, &id);
}

struct said {
    struct turn at;
    int64_t type, pol_round;
    const struct cu_abci_block_id *block;
    struct cu_abci_timestamp time;
    struct cu_span by; /* of a vote: whose it is to be */
};

/* A vote's numbers from the block on are one less than a proposal's, which has one field more. */
static void put_said(const struct said *w, struct cu_span chain, struct cu_buf *ret)
{
    CU_BUF out = cu_buf_heap(FRAME_MAX);
    const unsigned more = w->type == TYPE_PROPOSAL;
    const struct cu_abci_timestamp time = { true, w->time.seconds, w->time.nanos };

    put_varint(&out, 1, w->type);
    put_fixed(&out, 2, w->at.height);
    put_fixed(&out, 3, w->at.round);
    if (more) put_varint(&out, 4, w->pol_round);
    put_block(&out, 4 + more, *w->block);
    put_message(&out, 5 + more, &cu_abci_timestamp_table, &time);
    put_bytes(&out, 6 + more, chain);
    cu_pb_put_varint(ret, out.n);
    cu_buf_add(ret, cu_buf_span(&out));
    if (out.full || out.no_memory) ret->full = true;
}

static void put_extension(const struct cu_abci_vote *vote, struct cu_span chain, struct cu_buf *ret)
{
    CU_BUF out = cu_buf_heap(FRAME_MAX);

    put_bytes(&out, 1, vote->extension);
    put_fixed(&out, 2, (uint64_t)vote->height);
    put_fixed(&out, 3, (uint64_t)vote->round);
    put_bytes(&out, 4, chain);
    cu_pb_put_varint(ret, out.n);
    cu_buf_add(ret, cu_buf_span(&out));
    if (out.full || out.no_memory) ret->full = true;
}

/* ---- what may be signed ---- */

/* (3) */
static cu_status let_go_by(struct hand *h, const struct turn *at, struct cu_err *err)
{
    if (!h->state.waits && !h->behind) return CU_OK;
    if (h->waits_at == 0) h->waits_at = at->height, h->since_ms = cu_monotonic_ms();
    ENSURE(at->height > h->waits_at || cu_monotonic_ms() - h->since_ms >= CU_VOTER_WAIT_MS, err, CU_BUSY,
           "what it voted for is not known for certain: it lets height %llu go by", LLU(h->waits_at));
    h->state.waits = h->behind = false;
    return CU_OK;
}

/* Whether it may sign already: (2) (3). */
static cu_status wait_its_turn(struct cu_voter *s, const struct turn *at, struct cu_err *err)
{
    ENSURE(s->caught_up, err, CU_BUSY, "it has not caught up with its peers");
    return let_go_by(s->signs, at, err);
}

static cu_status sign_later(struct cu_voter *s, const struct said *w, const cu_hash *what, struct cu_span bytes,
                            struct cu_err *err)
{
    struct state next = { .at = w->at, .time = w->time, .what = *what };
    const cu_status may = wait_its_turn(s, &w->at, err);

    s->refused_ms = may == CU_OK ? 0 : cu_monotonic_ms();
    TRY(may);
    TRY(cu_sign(s->signs->key, bytes, next.signature, err));
    return save(s->config.fs, s->signs, &next, err); /* (1) */
}

/* The signature, and the time that it is over. */
static cu_status sign_locked(struct cu_voter *s, const struct said *w, struct state *ret, struct cu_err *err)
{
    CU_BUF bytes = cu_buf_heap(FRAME_MAX + 16), timeless = cu_buf_heap(FRAME_MAX + 16);
    struct said no_time = *w;

    no_time.time = (struct cu_abci_timestamp){ 0 };
    put_said(w, s->config.chain, &bytes);
    put_said(&no_time, s->config.chain, &timeless);
    TRY(cu_buf_ok(&bytes, err));
    TRY(cu_buf_ok(&timeless, err));
    const cu_hash what = cu_sha256(cu_buf_span(&timeless));
    ENSURE(!s->fallen, err, CU_UNTRUSTED, "this organisation's votes are older than the chain's: nothing is signed");
    ENSURE(s->signs && (w->by.n == 0 || cu_span_eq(w->by, cu_span(s->signs->address.b, 20))), err, CU_NOT_ALLOWED,
           "the key that this vote is asked of is not in force"); /* (5) */
    const struct turn *last = &s->signs->state.at;
    const int order = compare(&w->at, last);
    ENSURE(order > 0 || (order == 0 && cu_hash_eq(&what, &s->signs->state.what)), err, CU_NOT_ALLOWED,
           "height %llu, round %u, step %u: signed was height %llu, round %u, step %u already", LLU(w->at.height), w->at.round,
           w->at.step, LLU(last->height), last->round, last->step);
    if (order > 0) TRY(sign_later(s, w, &what, cu_buf_span(&bytes), err));
    *ret = s->signs->state;
    return CU_OK;
}

static cu_status sign(struct cu_voter *s, struct cu_span chain, const struct said *w, struct state *ret, struct cu_err *err)
{
    ENSURE(cu_span_eq(chain, s->config.chain), err, CU_NOT_ALLOWED, "this key is another chain's");
    ENSURE(w->at.height > 0 && w->at.height <= INT64_MAX && w->at.step > 0, err, CU_MALFORMED, "that is no turn of a chain");
    pthread_mutex_lock(&s->lock);
    const cu_status done = sign_locked(s, w, ret, err);
    pthread_mutex_unlock(&s->lock);
    return done;
}

void cu_voter_stands(struct cu_voter *s, uint64_t committed)
{
    for (size_t i = 0; s && i < s->hands; i++)
        s->hand[i].behind |= s->signs == &s->hand[i] && committed > s->hand[i].state.at.height;
}

void cu_voter_follow(struct cu_voter *s, const struct cu_engine_key *validators, size_t n)
{
    if (!s || n == 0) return; /* the ledger has not begun: genesis says who votes */
    pthread_mutex_lock(&s->lock);
    s->signs = NULL;
    for (size_t i = 0; i < s->hands; i++)
        for (size_t k = 0; k < n; k++)
            if (memcmp(validators[k].pub, s->hand[i].key->pub.bytes, sizeof validators->pub) == 0) s->signs = &s->hand[i];
    s->validators = n;
    pthread_mutex_unlock(&s->lock);
}

static int higher_first(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x < y) - (x > y);
}

bool cu_voter_caught_up(struct cu_voter *s, uint64_t committed, const uint64_t *peers, size_t n)
{
    uint64_t at[CU_PARTIES_MAX];

    CU_ASSERT(n <= CU_PARTIES_MAX);
    if (n) memcpy(at, peers, n * sizeof *at);
    qsort(at, n, sizeof *at, higher_first);
    pthread_mutex_lock(&s->lock);
    const size_t liars = (s->validators - 1) / 3, needed = s->validators - liars - 1;
    s->caught_up = s->caught_up || (n >= needed && (liars >= n || committed + 1 >= at[liars]));
    const bool caught_up = s->caught_up;
    pthread_mutex_unlock(&s->lock);
    return caught_up;
}

bool cu_voter_has_signed(struct cu_voter *s)
{
    bool has = false;

    if (!s) return false;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->hands; i++) has |= s->hand[i].state.at.height > 0 || s->hand[i].state.waits;
    pthread_mutex_unlock(&s->lock);
    return has;
}

bool cu_voter_owes(struct cu_voter *s)
{
    const uint64_t now = cu_monotonic_ms();

    pthread_mutex_lock(&s->lock);
    const struct hand *h = s->signs;
    const bool may = h && s->caught_up && !s->fallen;
    const bool goes_by = h && (h->state.waits || h->behind) && now - h->since_ms < CU_VOTER_WAIT_MS;
    if (!may || !s->told || s->told == h) s->stale_ms = 0;
    else if (!s->stale_ms) s->stale_ms = now;
    const bool owes = may && ((s->refused_ms && now - s->refused_ms >= CU_VOTER_STUCK_MS && !goes_by) ||
                              (s->stale_ms && now - s->stale_ms >= CU_VOTER_STUCK_MS));
    if (owes) s->refused_ms = s->stale_ms = 0;
    pthread_mutex_unlock(&s->lock);
    return owes;
}

static bool voted(const struct cu_abci_commit_info *votes, const struct hand *h)
{
    const struct cu_abci_vote_info *vote = votes->votes.items;
    bool own = false;

    for (size_t i = 0; i < votes->votes.n; i++)
        own |= (vote[i].block_id_flag == FLAG_COMMIT || vote[i].block_id_flag == FLAG_NIL) &&
               cu_span_eq(vote[i].validator.address, cu_span(h->address.b, 20));
    return own;
}

/* *ret_why: it falls (2). */
static bool saw(struct cu_voter *s, struct hand *h, uint64_t height, struct cu_err *ret_why)
{
    const bool above = height > h->state.at.height, falls = above && !h->state.waits && !s->fallen;

    if (above && h->state.waits) h->state.at = (struct turn){ height, UINT32_MAX, PRECOMMIT };
    if (!falls) return false;
    (void)cu_fail(ret_why, CU_UNTRUSTED,
                  "the chain has a vote of this organisation at height %llu, and the last that is known here (%s) is of height "
                  "%llu: an older copy was put in its place, or another machine runs with the same keys. Nothing more is "
                  "signed here, for two different votes of one height would convict this organisation. " RESUME,
                  LLU(height), h->path, LLU(h->state.at.height));
    return s->fallen = true;
}

void cu_voter_saw(struct cu_voter *s, const struct cu_abci_commit_info *votes, uint64_t height)
{
    struct cu_err why = { 0 };
    bool falls = false;

    if (!s) return;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->hands; i++)
        if (voted(votes, &s->hand[i])) falls |= saw(s, &s->hand[i], height, &why);
    pthread_mutex_unlock(&s->lock);
    if (falls) s->config.alarm(s->config.arg, &why);
}

/* ---- questions ---- */

static struct cu_abci_signer_error refusal(const struct cu_err *why, struct cu_buf *mem)
{
    const size_t from = mem->n;

    cu_text_printable(mem, cu_span_str(why->text));
    return (struct cu_abci_signer_error){ .there = true,
                                          .code = (int64_t)why->status,
                                          .description = cu_span_from(cu_buf_span(mem), from) };
}

static struct cu_span keep(struct cu_buf *mem, const uint8_t *signature)
{
    const size_t from = mem->n;

    cu_buf_add(mem, cu_span(signature, CU_SIGNATURE_LEN));
    return cu_span_from(cu_buf_span(mem), from);
}

/* CometBFT wants this one with every precommit for a block, whether votes carry anything or not. It binds to nothing. */
static cu_status sign_extension(struct cu_voter *s, struct cu_abci_vote *vote, struct cu_buf *mem, struct cu_err *err)
{
    CU_BUF bytes = cu_buf_heap(FRAME_MAX + 16);
    uint8_t signature[CU_SIGNATURE_LEN];

    if (vote->type != TYPE_PRECOMMIT || vote->block_id.hash.n == 0) {
        ENSURE(vote->extension.n == 0, err, CU_MALFORMED, "this vote carries nothing");
        return CU_OK;
    }
    put_extension(vote, s->config.chain, &bytes);
    TRY(cu_buf_ok(&bytes, err));
    pthread_mutex_lock(&s->lock);
    const cu_status done = s->signs ? cu_sign(s->signs->key, cu_buf_span(&bytes), signature, err) : CU_NOT_ALLOWED;
    pthread_mutex_unlock(&s->lock);
    TRY(done);
    vote->extension_signature = keep(mem, signature);
    return CU_OK;
}

static cu_status sign_vote(struct cu_voter *s, const struct cu_abci_request_sign_vote *q, struct cu_abci_vote *vote,
                           struct cu_buf *mem, struct cu_err *err)
{
    struct state done;

    *vote = q->vote;
    const struct said w = { { (uint64_t)vote->height, (uint32_t)vote->round,
                              vote->type == TYPE_PREVOTE     ? PREVOTE
                              : vote->type == TYPE_PRECOMMIT ? PRECOMMIT
                                                             : 0 },
                            vote->type,
                            0,
                            &vote->block_id,
                            vote->timestamp,
                            vote->validator_address };
    TRY(sign(s, q->chain_id, &w, &done, err));
    vote->timestamp = done.time;
    vote->timestamp.there = true;
    vote->signature = keep(mem, done.signature);
    TRY(sign_extension(s, vote, mem, err));
    return cu_buf_ok(mem, err);
}

static cu_status sign_proposal(struct cu_voter *s, const struct cu_abci_request_sign_proposal *q,
                               struct cu_abci_proposal *proposal, struct cu_buf *mem, struct cu_err *err)
{
    struct state done;

    *proposal = q->proposal;
    const struct said w = { { (uint64_t)proposal->height, (uint32_t)proposal->round,
                              proposal->type == TYPE_PROPOSAL ? PROPOSE : 0 },
                            proposal->type,
                            proposal->pol_round,
                            &proposal->block_id,
                            proposal->timestamp };
    TRY(sign(s, q->chain_id, &w, &done, err));
    proposal->timestamp = done.time;
    proposal->timestamp.there = true;
    proposal->signature = keep(mem, done.signature);
    return cu_buf_ok(mem, err);
}

/* An organisation that is no validator, yet or any more, has a key all the same: CometBFT then only follows. */
static const struct hand *told(struct cu_voter *s)
{
    pthread_mutex_lock(&s->lock);
    const struct hand *h = s->told = s->signs ? s->signs : &s->hand[s->hands - 1];
    pthread_mutex_unlock(&s->lock);
    return h;
}

void cu_voter_answer(struct cu_voter *s, const struct cu_abci_signer *q, struct cu_abci_signer *ret, struct cu_buf *mem)
{
    struct cu_err why = { 0 };

    *ret = (struct cu_abci_signer){ .there = true };
    if (q->pub_key.there) {
        ret->its_pub_key.there = ret->its_pub_key.pub_key.there = true;
        ret->its_pub_key.pub_key.ed25519 = cu_public_span(&told(s)->key->pub);
    } else if (q->sign_vote.there) {
        ret->signed_vote.there = true;
        if (sign_vote(s, &q->sign_vote, &ret->signed_vote.vote, mem, &why) != CU_OK)
            ret->signed_vote = (struct cu_abci_response_sign_vote){ .there = true, .error = refusal(&why, mem) };
    } else if (q->sign_proposal.there) {
        ret->signed_proposal.there = true;
        if (sign_proposal(s, &q->sign_proposal, &ret->signed_proposal.proposal, mem, &why) != CU_OK)
            ret->signed_proposal = (struct cu_abci_response_sign_proposal){ .there = true, .error = refusal(&why, mem) };
    } else ret->pong.there = true;
}

/* ---- the socket ---- */

/* -1: nobody listens there, or stopped. */
static int dial(const char *path)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CU_ASSERT(strlen(path) < sizeof at.sun_path);
    memcpy(at.sun_path, path, strlen(path));
    if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) == 0) return fd;
    if (fd >= 0) close(fd);
    return -1;
}

static bool send_all(int fd, struct cu_span bytes)
{
    while (bytes.n > 0) {
        const ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        if (n <= 0 && !(n < 0 && errno == EINTR)) return false;
        bytes = cu_span_from(bytes, n > 0 ? (size_t)n : 0);
    }
    return true;
}

/* One frame off the front of `in`. False: it is no question, or not answered. */
static bool answer_frame(struct cu_voter *s, int fd, struct cu_span frame)
{
    static const size_t lists = 4096;
    CU_BUF mem = cu_buf_heap(2 * FRAME_MAX), parsed = cu_buf_heap(lists), out = cu_buf_heap(2 * FRAME_MAX);
    struct cu_abci_signer q, a;

    if (!cu_buf_grow(&parsed, lists) || !cu_buf_grow(&mem, 2 * FRAME_MAX)) return false; /* neither moves from now on */
    parsed.n = mem.n = 0;
    if (cu_pb_read(&cu_abci_signer_table, frame, &q, &parsed, NULL) != CU_OK) return false;
    cu_voter_answer(s, &q, &a, &mem);
    cu_pb_put_varint(&out, cu_pb_size(&cu_abci_signer_table, &a));
    cu_pb_write(&cu_abci_signer_table, &a, &out);
    return cu_buf_ok(&out, NULL) == CU_OK && send_all(fd, cu_buf_span(&out));
}

/* The whole frames of what has come; what is left of one that has not stays. */
static bool answer_all(struct cu_voter *s, int fd, uint8_t *in, size_t *n)
{
    struct cu_span rest = cu_span(in, *n);
    uint64_t size;

    for (size_t head; (head = cu_pb_varint(rest, &size)) > 0;) {
        if (size > FRAME_MAX) return false;
        if (rest.n - head < size) break;
        if (!answer_frame(s, fd, cu_span(rest.p + head, (size_t)size))) return false;
        rest = cu_span_from(rest, head + (size_t)size);
    }
    memmove(in, rest.p, rest.n);
    *n = rest.n;
    return true;
}

static bool wait_for(int fd, int stop_fd, int ms)
{
    struct pollfd fds[] = { { stop_fd, POLLIN, 0 }, { fd, POLLIN, 0 } };

    while (poll(fds, fd >= 0 ? 2 : 1, ms) < 0 && errno == EINTR) continue;
    return fds[0].revents == 0;
}

static void serve_one(struct cu_voter *s, int fd, int stop_fd)
{
    uint8_t in[FRAME_MAX + 16];
    size_t n = 0;

    while (wait_for(fd, stop_fd, -1)) {
        const ssize_t got = recv(fd, in + n, sizeof in - n, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return;
        n += (size_t)got;
        if (!answer_all(s, fd, in, &n)) return;
    }
}

void cu_voter_serve(struct cu_voter *s, const char *socket, int stop_fd)
{
    while (wait_for(-1, stop_fd, RETRY_MS)) {
        const int fd = dial(socket);
        if (fd < 0) continue;
        serve_one(s, fd, stop_fd);
        close(fd);
    }
}
