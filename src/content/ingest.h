/* Reading evidence: one read of the source for every digest and every copy.
 *
 * An item of CU_CONTENT_INLINE_MAX bytes or less travels with its record and is not written here; a folder's manifest likewise.
 */
#ifndef CU_CONTENT_INGEST_H
#define CU_CONTENT_INGEST_H

#include "content/objects.h"
#include "custody/age.h"
#include "ports/source.h"

struct cu_digest_value { enum cu_digest_alg alg; uint8_t bytes[CU_DIGEST_LEN_MAX]; };
#define CU_DIGESTS_MAX 5

struct cu_progress {
    void *arg;
    void (*at)(void *arg, const char *phase, uint64_t bytes, uint64_t bytes_total, uint64_t files, uint64_t files_total);
    bool (*stop)(void *arg);
};

struct cu_ingest {
    const struct cu_source *source;
    struct cu_put *put;            /* where the bytes go; NULL: only look (a claim at the scene, a dry run) */
    unsigned digests;              /* bit per enum cu_digest_alg besides sha256, for an item; folders' items have sha256 */
    const struct cu_age_recipient *to; /* seal for these, before anything reaches a store; to_n 0: for nobody */
    size_t to_n;
    const struct cu_age_recipient *second; /* and within that for these: an age file in an age file; second_n 0: it is one */
    size_t second_n;
    struct cu_progress progress;
    /* Told each item of a folder when it has been read; may refuse (a list of expected digests). May be NULL. `extra` has the
     * digests asked for, sha256 first. */
    cu_status (*item)(void *arg, const struct cu_item *item, const struct cu_digest_value *digests, size_t n, struct cu_err *err);
    void *item_arg;
    /* The roots of the chunks of each object of 1 MiB or more, in the order of reading, a manifest's last: appended. May be NULL. */
    struct cu_buf *chunks;
    /* Told the bytes of an item as they are to be kept: sealed, when it is sealed. For whoever cannot read it twice. May be NULL. */
    cu_status (*kept)(void *arg, struct cu_span bytes, struct cu_err *err);
    void *kept_arg;
};

/** A folder that is sealed is one item, a tar file; its media type says so. */
#define CU_MEDIA_SEALED_FOLDER "application/x-tar; of=folder"

struct cu_ingested {
    enum cu_content_type type;
    uint64_t size;                 /* of the stored bytes: the item, or the manifest */
    cu_hash root;
    struct cu_folder folder;       /* of a folder */
    struct cu_digest_value digest[CU_DIGESTS_MAX]; /* of an item, sha256 first */
    size_t digests_n;
    uint64_t files, bytes;         /* what was read */
    bool is_inline;
    struct cu_buf content;         /* the item when inline; a folder's manifest always (heap; free it) */
    struct cu_source_stat stat;    /* of the path itself */
    char media[96];                /* media type by magic, "" when unknown */
};
/** Read one file, folder or "-". CHANGED when a file changes while it is read (size, times or identity differ before and after);
 *  NOT_ALLOWED for a block device, with the advice to image it first; INTERRUPTED when progress.stop says so. A refused ingest
 *  leaves nothing visible in the stores. Memory is bounded, whatever the size (a folder's manifest apart). */
CU_MUST_USE cu_status cu_ingest_path(const struct cu_ingest *config, const char *path, struct cu_ingested *ret,
                                     struct cu_err *err);
void cu_ingested_free(struct cu_ingested *ingested);

/** Digests from a seizure form: "ALG:HEX", or a list file (its bytes) as sha256sum and its kin, BSD's and openssl's tools,
 *  hashdeep or FTK Imager write it. 64 digits without a name of an algorithm are SHA-256; "sm3:HEX  path" and "SM3 (path) = HEX"
 *  are SM3. */
struct cu_expect_row { struct cu_digest_value digest; struct cu_span path; bool has_path, matched; };
struct cu_expect { struct cu_expect_row *rows; size_t n, cap; struct cu_buf text; struct cu_span common; };
CU_MUST_USE cu_status cu_expect_read(struct cu_span argument_or_file, bool is_list, struct cu_expect *ret, struct cu_err *err);
unsigned cu_expect_algs(const struct cu_expect *expect); /* bits of enum cu_digest_alg that reading must compute */
/** Does this item have what the form says? BAD_HASH names algorithm, both digests, and path. NOT_FOUND: the form lists it not. */
CU_MUST_USE cu_status cu_expect_match(const struct cu_expect *expect, struct cu_span path, const struct cu_digest_value *digests,
                                      size_t n, struct cu_err *err);
/** A second name of a file whose first name was matched: what the form says of both must agree. It need not name the second. */
CU_MUST_USE cu_status cu_expect_link(const struct cu_expect *expect, struct cu_span path, struct cu_span first,
                                     struct cu_err *err);
/** After all items: rows that matched nothing. NOT_FOUND names the first. */
CU_MUST_USE cu_status cu_expect_done(const struct cu_expect *expect, struct cu_err *err);
void cu_expect_free(struct cu_expect *expect);

/** Compare a folder as it lies now with a manifest, strictly: bytes differ, missing, added → `found` with what ("altered",
 *  "missing", "added") and counts; metadata that differs (mode, time) → `found` with "metadata", no failure. Linear memory in the
 *  number of names of one folder level, not of the tree. CU_OK whether or not differences were found; *ret_bad counts the strict ones. */
struct cu_folder_difference { const char *what; struct cu_span path; char text[200]; };
CU_MUST_USE cu_status cu_compare_folder(struct cu_span manifest, const struct cu_source *source, const char *path,
                                        const struct cu_progress *progress,
                                        void (*found)(void *arg, const struct cu_folder_difference *d), void *arg,
                                        uint64_t *ret_bad, struct cu_err *err);
/** One item of a folder: finds the row whose bytes it has (by path suffix first, then by digest) and gives its row for a proof. */
CU_MUST_USE cu_status cu_find_item(struct cu_span manifest, struct cu_span name, uint64_t size, const cu_hash *root,
                                   struct cu_item *ret, uint64_t *ret_row, struct cu_err *err);
/** Root, size and sha256 of a file that lies somewhere: what verify needs. */
CU_MUST_USE cu_status cu_read_evidence(const struct cu_source *source, const char *path, const struct cu_progress *progress,
                                       uint64_t *ret_size, cu_hash *ret_root, cu_hash *ret_sha256, struct cu_err *err);

#endif
