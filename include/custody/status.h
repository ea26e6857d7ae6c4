/* The one table of outcomes, and the context that travels beside one.
 *
 * Every fallible call returns a `cu_status` that must be looked at. What went wrong, to what, and what it means for the
 * evidence is written into `struct cu_err` where the failure is understood; nothing in the libraries logs.
 */
#ifndef CUSTODY_STATUS_H
#define CUSTODY_STATUS_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__) || defined(__clang__)
#define CU_MUST_USE __attribute__((warn_unused_result))
#define CU_PRINTF(fmt_at, args_at) __attribute__((format(printf, fmt_at, args_at)))
#define CU_CLEANUP(fn) __attribute__((cleanup(fn)))
#else
#error "custody needs the GNU attributes cleanup, warn_unused_result and format: use gcc or clang"
#endif

/* number, name, HTTP status, exit code of the command line, worth a retry?, what it says.
 *
 * The numbers are frozen: under consensus a record's outcome is this byte, so a number is never given a second meaning.
 * 0..31 general, 32..63 bytes and cryptography, 64..127 the ledger's rules, 128.. the world outside. */
#define CU_STATUS_TABLE(X)                                                                                             \
    X(0, OK, 200, 0, NO, "ok")                                                                                         \
    X(1, USAGE, 400, 1, NO, "the request is not understood")                                                           \
    X(2, NOT_FOUND, 404, 10, NO, "there is no such thing here")                                                        \
    X(3, AMBIGUOUS, 409, 10, NO, "more than one thing matches")                                                        \
    X(4, BUSY, 503, 11, YES, "another writer is at work")                                                              \
    X(5, NOT_ALLOWED, 403, 12, NO, "not allowed")                                                                      \
    X(6, COPIES_MISSING, 202, 3, YES, "recorded, but required copies are still missing")                               \
    X(7, INTERRUPTED, 503, 130, YES, "interrupted; it can be resumed")                                                 \
    X(8, TOO_LARGE, 413, 1, NO, "larger than the limit")                                                               \
    X(9, NO_MEMORY, 503, 1, YES, "out of memory")                                                                      \
    X(10, NEWER_FORMAT, 501, 1, NO, "written by a newer version")                                                      \
    X(32, MALFORMED, 400, 2, NO, "the bytes are not in the one valid form")                                            \
    X(33, BAD_HASH, 422, 2, NO, "the bytes do not have the digest that was recorded")                                  \
    X(34, BAD_PROOF, 422, 2, NO, "the proof does not verify")                                                          \
    X(35, BAD_SIGNATURE, 422, 4, NO, "the signature does not verify")                                                  \
    X(36, HIGH_S, 422, 4, NO, "the signature is not in its low-s form")                                                \
    X(37, BAD_KEY, 422, 4, NO, "the key is not a valid public key")                                                    \
    X(38, UNTRUSTED, 422, 4, NO, "no trusted key vouches for this")                                                    \
    X(39, WRONG_PASSPHRASE, 403, 12, NO, "the passphrase does not open the key")                                       \
    X(40, TIME_UNPROVEN, 422, 5, NO, "the time is not proven")                                                         \
    X(41, CORRUPT, 500, 2, NO, "stored bytes are damaged")                                                             \
    X(64, DUPLICATE, 200, 0, NO, "already recorded")                                                                   \
    X(65, UNPROTECTED_HEADER, 422, 1, NO, "something stands in an unprotected header")                                 \
    X(66, WRONG_KIND, 422, 1, NO, "the statement is of another kind")                                                  \
    X(67, WRONG_NETWORK, 422, 1, NO, "the statement belongs to another ledger")                                        \
    X(68, UNKNOWN_KEY, 403, 4, NO, "the signing key is not enrolled here")                                             \
    X(69, WRONG_ROLE, 403, 12, NO, "the signing key may not make this statement")                                      \
    X(70, MISSING_SIGNATURE, 422, 4, NO, "a party has not signed")                                                     \
    X(71, BAD_ATTACHMENT, 422, 2, NO, "an attachment does not match what was signed")                                  \
    X(72, BAD_SERIAL, 409, 1, NO, "the serial number is outside its window")                                           \
    X(73, SERIAL_TAKEN, 409, 1, NO, "another statement holds this serial number")                                      \
    X(74, OUTRANKED, 409, 1, NO, "an outcome that ranks higher is already recorded")                                   \
    X(75, UNKNOWN_BLOCK, 422, 1, NO, "the block it claims to have seen is not in this log")                            \
    X(76, STALE, 409, 1, YES, "signed over too old a block: sign afresh")                                              \
    X(77, UNKNOWN_CASE, 404, 10, NO, "no such case")                                                                   \
    X(78, UNKNOWN_TARGET, 404, 10, NO, "the statement it refers to is not recorded")                                   \
    X(79, UNTRUE, 422, 1, NO, "the log says otherwise")                                                                \
    X(80, NOT_CONFIRMED, 403, 12, YES, "the founders have not confirmed yet")                                          \
    X(81, OUT_OF_ORDER, 422, 1, NO, "it comes before what it refers to")                                               \
    X(82, CASE_EXISTS, 409, 1, NO, "the case is open already")                                                         \
    X(128, IO, 500, 1, YES, "the operating system refused")                                                            \
    X(129, NO_SPACE, 507, 1, YES, "no space left")                                                                     \
    X(130, READ_ONLY, 403, 12, NO, "it cannot be written to")                                                          \
    X(131, CHANGED, 409, 1, YES, "the file changed while it was read")                                                 \
    X(132, CRYPTO, 500, 1, NO, "the cryptographic library failed")

#define CU_STATUS_ENUM(num, name, http, code, retry, text) CU_##name = (num),
typedef enum cu_status_code { CU_STATUS_TABLE(CU_STATUS_ENUM) } cu_status_code;
#undef CU_STATUS_ENUM

typedef cu_status_code cu_status;

/** What happened, to what, and what it means. `text` is a NUL-terminated sentence without a final newline, cut at its size. */
struct cu_err {
    cu_status status;
    char text[1000];
};

const char *cu_status_name(cu_status status); /* "BAD_PROOF"; "UNKNOWN" outside the table */
const char *cu_status_text(cu_status status);
int cu_status_http(cu_status status);
int cu_status_exit(cu_status status);
int cu_status_retry(cu_status status); /* 1 yes, 0 no */

/** Write the sentence and return `status`, so that a failing line reads `return cu_fail(err, CU_X, "…")`. `err` may be NULL. */
cu_status cu_fail(struct cu_err *err, cu_status status, const char *fmt, ...) CU_PRINTF(3, 4);

/** Put what the caller was doing in front of what the callee said: "deposit C1/3: " + text. Returns `status` unchanged. */
cu_status cu_fail_while(struct cu_err *err, cu_status status, const char *fmt, ...) CU_PRINTF(3, 4);

/** A bug: print expression and place to stderr and abort. A ledger stops rather than go on wrong. */
_Noreturn void cu_bug(const char *expr, const char *file, int line);

#define CU_ASSERT(cond) ((cond) ? (void)0 : cu_bug(#cond, __FILE__, __LINE__))

/* A 64-bit number as %llu takes it. */
#define LLU(x) ((unsigned long long)(x))

/* Early returns. */
#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        cu_status try_status_ = (call);                                                                                \
        if (try_status_ != CU_OK) return try_status_;                                                                  \
    } while (0)

#define ENSURE(cond, err, status, ...)                                                                                 \
    do {                                                                                                               \
        if (!(cond)) return cu_fail((err), (status), __VA_ARGS__);                                                     \
    } while (0)

#endif
