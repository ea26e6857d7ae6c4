/* What a provider does: takes claims, receives what they claim, stores and reads it again, signs acceptance or refusal, and hands that to the
 * ledger until it is recorded. It follows the ledger's log as a reader does, and judges by it.
 *
 * (1) `act` guards the place: whoever follows, looks up or signs has it. Receiving, storing and submitting go without it.
 * (2) What is signed is durable before anybody hears of it, and is submitted until the ledger has judged it, by whatever process.
 * (3) Nothing is accepted that was not read again from the store. What goes out is judged; only a large object that was read so some minutes
 *     ago is handed out once without another look: whoever brings a copy judges it himself, and asks again for what is wrong.
 * (4) What it accepted and cannot give any more is brought again from the ledger's node, met by its root; what lay there goes to quarantine.
 */
#ifndef CU_SERVICE_PROVIDE_H
#define CU_SERVICE_PROVIDE_H

#include "service/spool.h"

struct cu_provider_config {
    struct cu_place *place;  /* of a ledger behind an address; the provider's alone. Or, of what answers notices, a node's own to read with, and the key that accepts */
    struct cu_spool *spool;  /* which claims that answer notices share with others; NULL: one of its own, for the other claims */
    struct cu_objects *second; /* which has all that is accepted, too; NULL: none has */
    cu_status (*follow)(void *arg, struct cu_err *err); /* the place as of now; NULL: as of the log behind the address */
    uint64_t size_max;       /* bytes of one content: larger ones are refused; 0: any size */
    uint64_t abandoned_ms;   /* a claim whose bytes nobody brings for so long is refused; 0: never */
    cu_status (*room)(void *room_arg, uint64_t bytes, struct cu_err *err); /* is there room for so many more? Any thread. NULL: always */
    void *room_arg;
    void (*changed)(void *arg); /* something was accepted, refused or recorded. Any thread */
    const char *url;            /* the ledger's node: what was lost comes from there; NULL: from nowhere */
    void (*submitted)(void *arg, const struct cu_span *records, const struct cu_outcome *outcomes, size_t n); /* NULL: nobody is told */
    void (*trouble)(void *arg, const char *text); /* what came cannot be accepted, and why; once while that stays so. NULL: nobody is told */
    void *arg;
};
enum { CU_PROVIDER_LOST = 16, CU_PROVIDER_FRESH = 16 };
struct cu_provider_lost { cu_seq seq; cu_hash root; };
struct cu_provider { struct cu_provider_config config; struct cu_spool *spool; pthread_mutex_t act; uint64_t followed, submit_at, pause, swept; bool alone; char told[400]; _Atomic uint64_t taken, refused, bytes, mended;
    pthread_mutex_t lost_lock; struct cu_provider_lost lost[CU_PROVIDER_LOST]; size_t lost_n;
    struct { cu_hash root; uint64_t left, until; } fresh[CU_PROVIDER_FRESH]; size_t fresh_n; }; /* `lost_lock` guards these, too */

CU_MUST_USE cu_status cu_provider_open(const struct cu_provider_config *config, struct cu_provider **ret, struct cu_err *err);
void cu_provider_close(struct cu_provider *v); /* NULL is fine */
/** A claim file. *ret_new false: it is known here, or to the log. What is no claim that this ledger would take is an error; what the
 *  provider does not want is refused, signed. NO_SPACE: not now. */
CU_MUST_USE cu_status cu_provider_claim(struct cu_provider *v, struct cu_span claim_file, cu_hash *ret_id, bool *ret_new, struct cu_err *err);
/** What became of a claim, by what is here or by the log. NOT_FOUND. */
CU_MUST_USE cu_status cu_provider_look(struct cu_provider *v, const cu_hash *id, struct cu_spooled_view *ret, struct cu_err *err);
/** The members, when there are others than *io_entries entries of them say: copied. */
bool cu_provider_members(struct cu_provider *v, uint64_t *io_entries, struct cu_members *ret);
/** The newest of the log; not more than once in `every_ms`. */
CU_MUST_USE cu_status cu_provider_follow(struct cu_provider *v, uint64_t every_ms, struct cu_err *err);
/** Somebody asked for that object of that deposit, and it could not be given: it is looked for at the next step, if it should be here. */
void cu_provider_lost(struct cu_provider *v, cu_seq seq, const cu_hash *root);
/** Was that object read from the medium a moment ago, and not handed out since? So many bytes of it are handed out now. Any thread. */
bool cu_provider_read_lately(struct cu_provider *v, const cu_hash *root, uint64_t bytes);
/** What came whole is stored and signed, what is signed submitted. For one thread. *ret_any: something moved on. */
void cu_provider_step(struct cu_provider *v, bool *ret_any);

#endif
