/* Inputs of the proof room's targets that need a trust file: its length (u16, big-endian), the text, then what is judged by it.
 * The verifier says yes to every signature, so that the fuzzer gets past them. */
#ifndef FUZZ_PROOF_INPUT_H
#define FUZZ_PROOF_INPUT_H

#include "custody/receipt.h"

static void say_yes(void *self, struct cu_sig_job *jobs, size_t n)
{
    (void)self;
    for (size_t i = 0; i < n; i++) jobs[i].status = CU_OK;
}

static struct cu_verifier yes = { .name = "yes", .verify = say_yes };

static bool split_input(struct cu_span in, struct cu_span *ret_trust, struct cu_span *ret_rest)
{
    if (in.n < 2 || in.n - 2 < cu_be16(in.p)) return false;
    *ret_trust = cu_span(in.p + 2, cu_be16(in.p));
    *ret_rest = cu_span(in.p + 2 + ret_trust->n, in.n - 2 - ret_trust->n);
    return true;
}

static bool terminated(const char *text, size_t size) { return memchr(text, 0, size) != NULL && cu_utf8_ok(cu_span_str(text)); }

#endif
