/* A bucket in memory, as a store with versions is: nothing that was put goes away by itself, and power is never lost there. Each of its
 * calls counts as one of the world's: it fails, and stops, as the file system does; a put twice, before it is done and after. */
#ifndef TESTS_FAULT_SERVICE_BUCKET_H
#define TESTS_FAULT_SERVICE_BUCKET_H

#include "adapters/bucket/bucket.h"

struct sw_version { char key[CU_BUCKET_KEY_MAX]; unsigned number; bool marker, gone; uint64_t until; struct cu_buf bytes; };
struct sw_bucket { struct sw_version *version; size_t n, cap; struct cu_fs steps; };

struct sw_bucket *sw_bucket_new(const struct sw_bucket *copy); /* NULL: an empty one */
void sw_bucket_free(struct sw_bucket *b);
struct cu_bucket sw_bucket_of(struct sw_bucket *b); /* its close does nothing */
/** By somebody who has the account's keys. */
struct sw_version *sw_bucket_put(struct sw_bucket *b, const char *key, struct cu_span bytes, bool marker);

#endif
