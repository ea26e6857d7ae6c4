/* A bucket of an object store: keys with versions, written once, read by version. There is no call that deletes or replaces a
 * version: what is put under a key that has one lies on top of it.
 *
 * Keys are relative, '/' between components. Errors: NOT_FOUND (no such key or version), NOT_ALLOWED (credentials), NO_SPACE, IO (all
 * else: not to be reached, no such bucket, answers that are not what was asked for). Any thread.
 */
#ifndef CU_PORTS_BUCKET_H
#define CU_PORTS_BUCKET_H

#include "ports/fs.h"

#define CU_BUCKET_KEY_MAX 1024
#define CU_BUCKET_VERSION_MAX 128 /* with its NUL: printable ASCII without spaces; "null" where the bucket has no versions */

/** What lies under a key. `version` NULL: no object, but a folder; its key ends in '/'. */
struct cu_bucket_version { const char *key, *version; uint64_t size; bool marker; /* it says that the key is deleted */ };

/** What the bucket does for what lies in it. */
struct cu_bucket_facts {
    bool versions, lock;      /* versions are kept; a version can be locked */
    bool compliance;          /* ours are: nobody can delete them before their time, not even the owner of the account */
    uint64_t days;            /* for so long; 0: they are not locked */
};

/** How a version is locked: enum cu_held_mode; until when, ms. */
struct cu_bucket_lock { uint64_t mode, until; };

struct cu_bucket { void *self; const struct cu_bucket_ops *ops; };
struct cu_bucket_ops {
    /* The file's first `size` bytes, durable when it returns. `first`: DUPLICATE, and nothing was put, when the key has an object. */
    cu_status (*put)(void *self, const char *key, struct cu_file *from, uint64_t size, bool first, char ret_version[CU_BUCKET_VERSION_MAX], struct cu_err *err);
    /* Exactly these n bytes of this version, or an error. */
    cu_status (*get)(void *self, const char *key, const char *version, uint64_t at, void *ret, size_t n, struct cu_err *err);
    cu_status (*size)(void *self, const char *key, const char *version, uint64_t *ret, struct cu_err *err);
    /* How this version, which is there, is locked; first, unless it is 0, for so long at least (ms), in compliance mode. NOT_ALLOWED, IO: it
     * cannot be, or nobody says so. */
    cu_status (*lock)(void *self, const char *key, const char *version, uint64_t until, struct cu_bucket_lock *ret, struct cu_err *err);
    /* Every version of every key that begins with `prefix`, those of one key together, the newest first; unless `deep`, of keys with no '/'
     * behind it alone, and the folders. The callback's failure ends the walk and is returned. */
    cu_status (*list)(void *self, const char *prefix, bool deep, cu_status (*each)(void *arg, const struct cu_bucket_version *v, struct cu_err *err), void *arg, struct cu_err *err);
    cu_status (*facts)(void *self, struct cu_bucket_facts *ret, struct cu_err *err);
    void (*close)(void *self);
};

/** A part that opens buckets by their address, without asking them anything. USAGE: the address is not understood; NOT_ALLOWED: there are no
 *  credentials. */
struct cu_bucket_kind { cu_status (*open)(struct cu_span address, struct cu_bucket *ret, struct cu_err *err); };

#endif
