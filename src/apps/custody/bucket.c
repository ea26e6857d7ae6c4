/* A bucket for the provider's objects: found by the address that the ledger keeps, opened by a part that is loaded when it is needed. */
#include "adapters/bucket/bucket.h"
#include "apps/custody/app.h"

#define PART "custody-s3.so"
#define ADDRESS_MAX 4096

static cu_status load(const struct cu_bucket_kind **ret, struct cu_err *err)
{
    const char *why;
    const struct cu_bucket_kind *kind = part_load(PART, "cu_s3_kind", &why);

    ENSURE(kind, err, CU_NOT_FOUND,
           "the provider's objects lie in a bucket, which is spoken to by " PART
           "; it could not be loaded (%s): it belongs beside this program, and needs the package libcurl4. Nothing was touched",
           why);
    *ret = kind;
    return CU_OK;
}

cu_status bucket_mount(struct session *s, struct cu_span address, struct cu_err *err)
{
    const struct cu_bucket_kind *kind = NULL;
    struct cu_fs mounted;

    ENSURE(address.n < ADDRESS_MAX, err, CU_USAGE, "the bucket's address is too long");
    TRY(load(&kind, err));
    TRY(kind->open(address, &s->bucket, err));
    const cu_status done = cu_bucket_fs(s->place.fs, s->bucket, CU_DIR_CLOUD_OBJECTS, CU_DIR_CLOUD_PINS, &mounted, err);
    if (done != CU_OK) s->bucket.ops->close(s->bucket.self), s->bucket.ops = NULL;
    TRY(done);
    s->place.fs = mounted;
    s->place.near = CU_STORE_NODE;
    return CU_OK;
}

cu_status bucket_mount_kept(struct session *s, struct cu_err *err)
{
    CU_BUF text = cu_buf_heap(ADDRESS_MAX);
    struct cu_span rest, line;
    const cu_status read = cu_fs_read(&s->place.fs, CU_FILE_CLOUD_BUCKET, ADDRESS_MAX, &text, err);

    if (read == CU_NOT_FOUND) return CU_OK;
    TRY(read);
    rest = cu_buf_span(&text);
    ENSURE(cu_span_split(&rest, '\n', &line) && rest.n == 0, err, CU_CORRUPT,
           CU_FILE_CLOUD_BUCKET " does not hold the one line that is a bucket's address; nothing was touched");
    const cu_status mounted = bucket_mount(s, line, err);
    return mounted == CU_OK ? CU_OK : cu_fail_while(err, mounted, CU_FILE_CLOUD_BUCKET);
}

cu_status bucket_keep(struct session *s, struct cu_span address, struct cu_err *err)
{
    CU_BUF line = cu_buf_heap(ADDRESS_MAX);

    cu_buf_add(&line, address);
    cu_buf_add_byte(&line, '\n');
    TRY(cu_buf_ok(&line, err));
    return cu_fs_replace(&s->place.fs, CU_FILE_CLOUD_BUCKET, CU_FILE_CLOUD_BUCKET ".new", cu_buf_span(&line), true, err);
}

/* Nobody's pins: versions are asked for by the names that were signed. */
cu_status bucket_compare(struct session *s, struct cu_span address, struct cu_held_comparing *c, struct cu_err *err)
{
    const struct cu_bucket_kind *kind = NULL;
    struct cu_objects *store = NULL;
    struct cu_bucket bucket;
    struct cu_fs here, mounted;

    TRY(load(&kind, err));
    TRY(kind->open(address, &bucket, err));
    cu_status done = cu_posix_fs(s->root, &here, err);
    if (done == CU_OK &&
        (done = cu_bucket_fs(here, bucket, CU_DIR_CLOUD_OBJECTS, CU_DIR_CLOUD_PINS ".none", &mounted, err)) != CU_OK)
        here.ops->close(here.self);
    if (done != CU_OK) bucket.ops->close(bucket.self);
    TRY(done);
    done = cu_objects_open(&mounted, CU_DIR_CLOUD_OBJECTS, NULL, CU_STORE_CLOUD, &store, err);
    if (done == CU_OK) done = cu_held_compare(&s->place, store, c, err);
    cu_objects_close(store);
    mounted.ops->close(mounted.self);
    return done;
}

static cu_status refuse_any(void *arg, const struct cu_bucket_version *v, struct cu_err *err)
{
    (void)arg;
    return cu_fail(
        err, CU_NOT_ALLOWED,
        "something lies there in the bucket already (%s): the objects of a ledger lie under a prefix of their own; nothing "
        "was touched",
        v->key);
}

/* What a bucket should do for evidence, the gravest lack first. NULL: it does all of it. */
static const char *lack(const struct cu_bucket_facts *f)
{
    if (!f->versions)
        return "it keeps NO VERSIONS: whatever is put over an object, or deleted, is gone there, and only the node's copy is "
               "left. "
               "Switch versioning and Object Lock on";
    if (!f->lock)
        return "it has NO OBJECT LOCK: who holds the account's keys can delete versions for good. A bucket with Object Lock "
               "prevents that";
    if (!f->days) return "it has Object Lock, but NOTHING IS LOCKED: it has no default retention, and the address no retain=DAYS";
    return f->compliance ? NULL
                         : "its default lock is in governance mode: who has the right to bypass it can delete versions for good";
}

bool bucket_health(struct session *s, char ret[600])
{
    struct cu_bucket_facts facts;
    struct cu_err why;
    const cu_status asked = s->bucket.ops->facts(s->bucket.self, &facts, &why);
    const char *lacks = asked == CU_OK ? lack(&facts) : why.text;

    if (lacks) snprintf(ret, 600, "%.590s", lacks);
    else snprintf(ret, 600, "each version that is written is locked for %llu days, in compliance mode", LLU(facts.days));
    return !lacks;
}

cu_status bucket_begin(struct session *s, struct cu_err *err)
{
    const bool begun = cu_fs_exists(&s->place.fs, CU_FILE_MAKING); /* by an init that did not end: what lies there is its */
    struct cu_bucket_facts facts;

    TRY(s->bucket.ops->facts(s->bucket.self, &facts, err));
    if (!begun) TRY(s->bucket.ops->list(s->bucket.self, "", true, refuse_any, NULL, err));
    if (lack(&facts)) say(s->run, "the bucket: %s\n", lack(&facts));
    return CU_OK;
}
