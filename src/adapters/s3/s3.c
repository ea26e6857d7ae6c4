/* The bucket's calls that read, each as one question to the store; how it is opened. */
#include "adapters/s3/inside.h"
#include "codec/xml.h"
#include "custody/entry.h"
#include "custody/text.h"

#include <curl/curl.h>

#include <stdio.h>
#include <stdlib.h>

cu_status s3_malformed(const char *what, struct cu_err *err)
{
    return cu_fail(err, CU_IO, "the store's answer to %s is not one that can be read; it was not used", what);
}

/* ---- what is there ---- */

/* A store says of a missing bucket what it says of a missing key. */
static cu_status ask_bucket(struct s3 *s, struct cu_err *err)
{
    CALL c;

    s3_call_on(s, "HEAD", NULL, &c);
    const cu_status there = s3_ask(s, &c, err);
    return there == CU_NOT_FOUND ? cu_fail(err, CU_IO, "there is no bucket %s at %s: nothing was stored or read",
                                           s->address.bucket, s->address.endpoint)
                                 : there;
}

cu_status s3_not_there(struct s3 *s, cu_status status, struct cu_err *err)
{
    struct cu_err why;

    if (status != CU_NOT_FOUND) return status;
    const cu_status bucket = ask_bucket(s, &why);
    return bucket == CU_OK ? status : cu_fail(err, bucket, "%s", why.text);
}

static void of_version(struct s3 *s, struct s3_call *c, const char *version)
{
    if (!s->unversioned || strcmp(version, "null") != 0) s3_query(c, "versionId", version);
}

/* Asked before anything is read: so here it is found out whether the store knows "null". */
static cu_status s3_size(void *self, const char *key, const char *version, uint64_t *ret, struct cu_err *err)
{
    struct s3 *s = self;
    CALL c;

    s3_call_on(s, "HEAD", key, &c);
    of_version(s, &c, version);
    const cu_status asked = s3_ask(s, &c, err);
    if (c.http == 400 && strcmp(version, "null") == 0 && !s->unversioned) {
        s->unversioned = true;
        return s3_size(self, key, version, ret, err);
    }
    TRY(s3_not_there(s, asked, err));
    if (c.length == UINT64_MAX) return s3_malformed("HEAD", err);
    *ret = c.length;
    return CU_OK;
}

static cu_status s3_get(void *self, const char *key, const char *version, uint64_t at, void *ret, size_t n, struct cu_err *err)
{
    struct s3 *s = self;
    CALL c;

    if (n == 0) return CU_OK;
    s3_call_on(s, "GET", key, &c);
    of_version(s, &c, version);
    s3_header(&c, "Range: bytes=%llu-%llu", LLU(at), LLU(at + n - 1));
    c.into = ret;
    c.into_n = n;
    c.at = at;
    return s3_not_there(s, s3_ask(s, &c, err), err);
}

/* Amazon's answer, and what others call it. */
static bool find_retention(const struct s3_call *c, const char *name, char *ret, size_t max)
{
    char path[64];

    snprintf(path, sizeof path, "Retention/%s", name);
    if (s3_find_text(c, path, ret, max)) return true;
    snprintf(path, sizeof path, "ObjectLockRetention/%s", name);
    return s3_find_text(c, path, ret, max);
}

static cu_status ask_lock(struct s3 *s, const char *key, const char *version, struct cu_bucket_lock *ret, struct cu_err *err)
{
    char text[64] = "";
    cu_unix_ms until = { 0 };
    CALL c;

    s3_call_on(s, "GET", key, &c);
    s3_query(&c, "retention", "");
    of_version(s, &c, version);
    const cu_status asked = s3_ask(s, &c, err);
    *ret = (struct cu_bucket_lock){ CU_HELD_FREE, 0 };
    if (c.http == 400 || c.http == 404 || c.http == 501)
        return CU_OK; /* the stores' ways to say that it is not locked, or never could be */
    TRY(asked);
    if (!find_retention(&c, "Mode", text, sizeof text)) return s3_malformed("GET ?retention", err);
    ret->mode = strcmp(text, "COMPLIANCE") == 0 ? CU_HELD_COMPLIANCE : CU_HELD_GOVERNANCE;
    if (!find_retention(&c, "RetainUntilDate", text, sizeof text) || cu_time_read(cu_span_str(text), &until, NULL) != CU_OK)
        return s3_malformed("GET ?retention", err);
    ret->until = until.v;
    return CU_OK;
}

static cu_status set_lock(struct s3 *s, const char *key, const char *version, uint64_t until, struct cu_err *err)
{
    char body[256], when[32];
    CALL c;

    cu_time_text((cu_unix_ms){ until }, when);
    snprintf(body, sizeof body,
             "<Retention xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Mode>COMPLIANCE</Mode><RetainUntilDate>%s"
             "</RetainUntilDate></Retention>",
             when);
    s3_call_on(s, "PUT", key, &c);
    s3_query(&c, "retention", "");
    of_version(s, &c, version);
    s3_with_text(&c, cu_span_str(body));
    s3_checksum(&c);
    return s3_ask(s, &c, err);
}

/* Locked for a day more than was asked for: the next who asks for as many days from then on need not lock it again. */
static cu_status s3_lock(void *self, const char *key, const char *version, uint64_t until, struct cu_bucket_lock *ret,
                         struct cu_err *err)
{
    struct s3 *s = self;
    struct cu_bucket_lock lock;

    TRY(ask_lock(s, key, version, &lock, err));
    if (until > 0 && (lock.mode != CU_HELD_COMPLIANCE || lock.until < until)) {
        const cu_status set = set_lock(s, key, version, until + 86400000, err);
        if (set != CU_OK)
            return cu_fail_while(err, set, "the bucket does not lock %s for as long as the ledger's policy asks", key);
        TRY(ask_lock(s, key, version, &lock, err));
    }
    *ret = lock;
    return CU_OK;
}

bool s3_find_text(const struct s3_call *c, const char *path, char *ret, size_t max)
{
    struct cu_xml x = cu_xml_on(cu_buf_span(&c->text));
    enum cu_xml_event e;
    bool found = false;

    while ((e = cu_xml_next(&x)) == CU_XML_BEGIN || e == CU_XML_END) {
        if (e != CU_XML_END || !cu_xml_at(&x, path)) continue;
        found = !found && x.text_n > 0 && x.text_n < max;
        if (found) snprintf(ret, max, "%.*s", (int)x.text_n, (const char *)x.text);
    }
    return found && e == CU_XML_DONE;
}

/* ---- what it does for what lies in it ---- */

static cu_status ask_about(struct s3 *s, const char *what, struct s3_call *c, struct cu_err *err)
{
    s3_call_on(s, "GET", NULL, c);
    s3_query(c, what, "");
    return s3_not_there(s, s3_ask(s, c, err), err);
}

#define LOCK "ObjectLockConfiguration/"
static cu_status s3_facts(void *self, struct cu_bucket_facts *ret, struct cu_err *err)
{
    struct s3 *s = self;
    struct cu_bucket_facts facts = { .days = s->address.retain_days, .compliance = s->address.retain_days > 0 };
    char text[64];
    CALL versioning, lock;

    lock = (struct s3_call){ .text = cu_buf_heap(0) };
    TRY(ask_about(s, "versioning", &versioning, err));
    facts.versions = s3_find_text(&versioning, "VersioningConfiguration/Status", text, sizeof text) &&
                     strcmp(text, "Enabled") == 0;
    const cu_status told = ask_about(s, "object-lock", &lock, err);
    if (told != CU_NOT_FOUND) TRY(told); /* the store's way to say that there is none */
    facts.lock = told == CU_OK && s3_find_text(&lock, LOCK "ObjectLockEnabled", text, sizeof text) &&
                 strcmp(text, "Enabled") == 0;
    if (facts.lock && !facts.days && s3_find_text(&lock, LOCK "Rule/DefaultRetention/Days", text, sizeof text) &&
        cu_decimal_read(cu_span_str(text), UINT32_MAX, &facts.days, NULL) != CU_OK)
        facts.days = 0;
    if (facts.lock && !facts.days && s3_find_text(&lock, LOCK "Rule/DefaultRetention/Years", text, sizeof text) &&
        cu_decimal_read(cu_span_str(text), 100, &facts.days, NULL) == CU_OK)
        facts.days *= 365;
    if (facts.lock && !facts.compliance && s3_find_text(&lock, LOCK "Rule/DefaultRetention/Mode", text, sizeof text))
        facts.compliance = strcmp(text, "COMPLIANCE") == 0;
    if (!facts.lock) facts.compliance = false, facts.days = 0;
    *ret = facts;
    return CU_OK;
}

/* ---- opening ---- */

static void s3_close(void *self)
{
    struct s3 *s = self;

    for (unsigned i = 0; i < s->handles_n; i++) curl_easy_cleanup(s->handle[i]);
    pthread_mutex_destroy(&s->lock);
    cu_wipe(s, sizeof *s);
    free(s);
}

static cu_status s3_open(struct cu_span address, struct cu_bucket *ret, struct cu_err *err)
{
    static const struct cu_bucket_ops ops = { s3_put, s3_get, s3_size, s3_lock, s3_list, s3_facts, s3_close };
    struct cu_s3_address a;

    TRY(cu_s3_address_read(address, &a, err));
    struct s3 *s = calloc(1, sizeof *s);
    ENSURE(s, err, CU_NO_MEMORY, "no memory for a bucket");
    s->address = a;
    pthread_mutex_init(&s->lock, NULL);
    const cu_status known = s3_credentials(s, &s->no_key);
    if (known != CU_OK) s->key[0] = 0;
    *ret = (struct cu_bucket){ s, &ops };
    return CU_OK;
}

const struct cu_bucket_kind cu_s3_kind = { s3_open };
