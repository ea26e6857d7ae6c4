/* Evidence on its way to whoever keeps it: a claim, the bytes that were claimed, and what is said of them over there. Nothing that comes back
 * is verified here: whoever asks does. One thread at a time. Errors: those that the other side names; IO: it cannot be reached, or talks
 * nonsense: then ask again how far it came. */
#ifndef CU_PORTS_CARRIER_H
#define CU_PORTS_CARRIER_H

#include "custody/types.h"

/* How far a claim came, in this order. */
enum cu_carriage_state { CU_CARRIED_CLAIM, CU_CARRIED_SOME, CU_CARRIED_ALL, CU_CARRIED_ACCEPTED, CU_CARRIED_REFUSED, CU_CARRIED_RECORDED };
struct cu_carriage { enum cu_carriage_state state; uint64_t offset; char reason[400]; };

/** The next bytes that are sent, up to n and at least one. An error ends the sending, and is its own. */
typedef cu_status cu_carrier_read(void *arg, uint8_t *ret, size_t n, size_t *ret_n, struct cu_err *err);

struct cu_carrier { void *self; const struct cu_carrier_ops *ops; };
struct cu_carrier_ops {
    /* A claim file. One that is known there changes nothing. */
    cu_status (*claim)(void *self, struct cu_span claim_file, struct cu_carriage *ret, struct cu_err *err);
    /* Waits up to so many seconds, unless it is accepted, refused or recorded. */
    cu_status (*state)(void *self, const cu_hash *id, unsigned wait_s, struct cu_carriage *ret, struct cu_err *err);
    /* The signed outcome, as a record, appended. NOT_FOUND: there is none yet. */
    cu_status (*record)(void *self, const cu_hash *id, struct cu_buf *ret, struct cu_err *err);
    /* Before the first byte: the roots of the chunks of all that is sent. BUSY as below. NOT_FOUND: they are not wanted. */
    cu_status (*chunks)(void *self, const cu_hash *id, struct cu_span roots, struct cu_err *err);
    /* Of an upload of so many bytes, begun if it was not: how many are durable there. */
    cu_status (*offset)(void *self, const cu_hash *id, uint64_t length, uint64_t *ret, struct cu_err *err);
    /* The bytes from ≤ x < to. BUSY: somebody else is sending them. BAD_HASH: they are not those that were claimed. */
    cu_status (*send)(void *self, const cu_hash *id, uint64_t from, uint64_t to, cu_carrier_read *read, void *arg, struct cu_err *err);
    void (*close)(void *self);
};

#endif
