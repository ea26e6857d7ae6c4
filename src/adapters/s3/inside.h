/* What the files of this room share. */
#ifndef CU_ADAPTERS_S3_INSIDE_H
#define CU_ADAPTERS_S3_INSIDE_H

#include "adapters/s3/s3.h"
#include "custody/digest.h"

#include <pthread.h>
#include <stdatomic.h>

enum { S3_HANDLES = 16, S3_URL = 4 * CU_BUCKET_KEY_MAX + 1024, S3_HEADERS = 8, S3_ANSWER_MAX = 8 << 20, S3_TAG = 128 };

struct s3 {
    struct cu_s3_address address;
    char key[129], secret[257], token[4097];
    struct cu_err no_key; /* why there are no credentials: said when somebody asks the store */
    atomic_bool unversioned; /* the store does not know the version "null", which others have where there are none */
    pthread_mutex_t lock; /* guards the handles: each has a connection that is open */
    void *handle[S3_HANDLES];
    unsigned handles_n;
};

/* One question and its answer. */
struct s3_call {
    const char *method;
    char url[S3_URL];
    char header[S3_HEADERS][512];
    unsigned headers_n;
    /* what is sent: a part of a file, or a text */
    struct cu_file *from;
    uint64_t from_at, body_n;
    struct cu_span body;
    cu_hash body_hash;
    bool has_body;
    /* what comes: exactly n bytes from `at` on, or a text */
    uint8_t *into;
    size_t into_n;
    uint64_t at;

    long http;
    size_t got;
    uint64_t length;
    bool ranged, overflowed;
    char version[CU_BUCKET_VERSION_MAX], tag[S3_TAG];
    struct cu_buf text;
    struct cu_err sending; /* why the file could not be read */
    uint64_t sent;
    unsigned tries;
};
void s3_call_free(struct s3_call *c);
/** Beginning of the URL: `key` below the prefix, or (NULL) the bucket. What follows is added by s3_query in order of names. */
void s3_call_on(const struct s3 *s, const char *method, const char *key, struct s3_call *ret);
void s3_query(struct s3_call *c, const char *name, const char *value);
void s3_header(struct s3_call *c, const char *fmt, ...) CU_PRINTF(2, 3);
/** Ask until it is answered, or it is known that it will not be. NOT_FOUND, DUPLICATE (412), NOT_ALLOWED, NO_SPACE, IO. */
CU_MUST_USE cu_status s3_ask(struct s3 *s, struct s3_call *c, struct cu_err *err);

#define CALL CU_CLEANUP(s3_call_free) struct s3_call
cu_status s3_malformed(const char *what, struct cu_err *err); /* IO: the answer to that is none */
/** A store says of a missing bucket what it says of a missing key: NOT_FOUND becomes IO when it is the bucket. */
CU_MUST_USE cu_status s3_not_there(struct s3 *s, cu_status status, struct cu_err *err);
/** A text to be sent. */
void s3_with_text(struct s3_call *c, struct cu_span text);
void s3_checksum(struct s3_call *c); /* of what is sent: where the store asks for one */
/** The text of one element of a flat answer. */
bool s3_find_text(const struct s3_call *c, const char *path, char *ret, size_t max);

/* of the port (put.c, list.c) */
cu_status s3_put(void *self, const char *key, struct cu_file *from, uint64_t size, bool first,
                 char ret_version[CU_BUCKET_VERSION_MAX], struct cu_err *err);
cu_status s3_list(void *self, const char *prefix, bool deep,
                  cu_status (*each)(void *arg, const struct cu_bucket_version *v, struct cu_err *err), void *arg, struct cu_err *err);

CU_MUST_USE cu_status s3_credentials(struct s3 *s, struct cu_err *err);

#endif
