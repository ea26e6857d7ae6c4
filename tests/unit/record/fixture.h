/* What the tests of entries and members share: the known entries and keys, and an encoder that is free to do wrong. */
#ifndef CU_TEST_FIXTURE_H
#define CU_TEST_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "custody/entry.h"
#include "custody/text.h"
#include "custody/tree.h"

#define VECTORS TEST_SOURCE_DIR "/tests/vectors/"

#define assert_ok(call) fixture_status((call), CU_OK, __FILE__, __LINE__)
#define assert_refused(status, call) fixture_status((call), (status), __FILE__, __LINE__)

static struct cu_err err; /* what the call last said */

static inline void fixture_status(cu_status got, cu_status wanted, const char *file, int line)
{
    if (got == wanted) return;
    print_error("got %s (%s), not %s\n", cu_status_name(got), got == CU_OK ? "" : err.text, cu_status_name(wanted));
    _fail(file, line);
}

static inline struct cu_span fixture_file(const char *path)
{
    static uint8_t mem[1 << 18];
    FILE *in = fopen(path, "rb");

    if (!in) fail_msg("%s cannot be read", path);
    size_t n = fread(mem, 1, sizeof mem, in);
    fclose(in);
    return cu_span(mem, n);
}

/* ---- known entries and keys ---- */

struct golden {
    char name[32];
    bool has_id;
    cu_hash id, leaf;
    uint8_t mem[1024];
    struct cu_span bytes;
};
struct golden_key {
    char name[32];
    struct cu_public_key pub;
    cu_hash kid;
    struct cu_private_key private_;
};

static struct golden goldens[48];
static struct golden_key golden_keys[8];
static size_t goldens_n, golden_keys_n;

static inline size_t fixture_hex(const char *hex, uint8_t *ret)
{
    size_t n = strlen(hex) / 2;

    assert_int_equal(cu_hex_read(cu_span_str(hex), ret, n, &err), CU_OK);
    return n;
}

static inline void fixture_key(const char *name, const char *kid, const char *pub)
{
    struct golden_key *k = &golden_keys[golden_keys_n++];
    char path[256];

    snprintf(k->name, sizeof k->name, "%s", name);
    fixture_hex(kid, k->kid.b);
    k->pub.alg = fixture_hex(pub, k->pub.bytes) == 64 ? CU_ALG_ES256 : CU_ALG_EDDSA;
    snprintf(path, sizeof path, VECTORS "entry_key_%s.pem", name);
    assert_ok(cu_private_from_pem(fixture_file(path), CU_SPAN_EMPTY, &k->private_, &err));
}

static inline void fixture_entry(const char *name, const char *id, const char *leaf, const char *bytes)
{
    struct golden *g = &goldens[goldens_n++];

    snprintf(g->name, sizeof g->name, "%s", name);
    g->has_id = id[0] != '-';
    if (g->has_id) fixture_hex(id, g->id.b);
    fixture_hex(leaf, g->leaf.b);
    g->bytes = cu_span(g->mem, fixture_hex(bytes, g->mem));
}

static inline int fixture_load(void **state)
{
    char line[4096], a[32], b[130], c[130], d[3000];
    FILE *in = fopen(VECTORS "entry_golden.txt", "r");

    (void)state;
    if (cu_crypto_init(&err) != CU_OK || !in) return -1;
    while (fgets(line, sizeof line, in)) {
        if (sscanf(line, "key %31s %129s %129s", a, b, c) == 3) fixture_key(a, b, c);
        if (sscanf(line, "entry %31s %129s %129s %2999s", a, b, c, d) == 4) fixture_entry(a, b, c, d);
    }
    return fclose(in);
}

static inline struct cu_span golden(const char *name)
{
    for (size_t i = 0; i < goldens_n; i++)
        if (strcmp(goldens[i].name, name) == 0) return goldens[i].bytes;
    fail_msg("no known entry %s", name);
    return CU_SPAN_EMPTY;
}

static inline const struct golden_key *key_of(const char *name)
{
    for (size_t i = 0; i < golden_keys_n; i++)
        if (strcmp(golden_keys[i].name, name) == 0) return &golden_keys[i];
    fail_msg("no key %s", name);
    return NULL;
}

static inline const struct golden_key *key_by_id(const cu_hash *kid)
{
    for (size_t i = 0; i < golden_keys_n; i++)
        if (cu_hash_eq(&golden_keys[i].kid, kid)) return &golden_keys[i];
    return NULL;
}

static inline cu_hash the_network(void) { return cu_leaf_hash(golden("genesis")); }

static inline cu_status check_signature(const struct cu_statement *st)
{
    static uint8_t mem[CU_ENTRY_MAX + 64];
    struct cu_buf tbs = cu_buf_over(mem, sizeof mem);
    struct cu_verifier by = cu_verifier_plain();
    const struct golden_key *key = key_by_id(&st->kid);

    if (!key || key->pub.alg != st->alg) return CU_UNKNOWN_KEY;
    cu_sig_structure(st->protected_, st->payload, &tbs);
    return cu_verify_one(&by, &key->pub, cu_buf_span(&tbs), st->signature.p, &err);
}

/* ---- an encoder that is free to do wrong: every part of the envelope as told ---- */

struct header {
    int64_t alg;
    const char *typ;
    cu_hash kid, network;
};

static inline struct header header_of(const char *kind, const char *key)
{
    static char typ[8][64];
    static unsigned at;
    char *mine = typ[at++ % 8];

    snprintf(mine, sizeof typ[0], "application/custody-%s+cose", kind);
    return (struct header){ key_of(key)->pub.alg, mine, key_of(key)->kid, the_network() };
}

static inline struct cu_span header_bytes(struct header h)
{
    static uint8_t mem[8][256];
    static unsigned at;
    struct cu_buf out = cu_buf_over(mem[at++ % 8], 256);

    cu_cbor_put_map(&out, 4);
    cu_cbor_put_int(&out, 1), cu_cbor_put_int(&out, h.alg);
    cu_cbor_put_int(&out, 4), cu_cbor_put_bytes(&out, cu_span_hash(&h.kid));
    cu_cbor_put_int(&out, 16), cu_cbor_put_text(&out, cu_span_str(h.typ));
    cu_cbor_put_int(&out, -65537), cu_cbor_put_bytes(&out, cu_span_hash(&h.network));
    return cu_buf_span(&out);
}

/* Raw parts: `unprotected` and `payload` are whole encoded items. */
static inline struct cu_span layers(struct cu_span protected_, struct cu_span unprotected, struct cu_span payload_item,
                                    struct cu_span signature)
{
    static uint8_t mem[8][CU_ENTRY_MAX + 1024];
    static unsigned at;
    struct cu_buf out = cu_buf_over(mem[at++ % 8], sizeof mem[0]);

    cu_cbor_put_tag(&out, 18);
    cu_cbor_put_array(&out, 4);
    cu_cbor_put_bytes(&out, protected_);
    cu_buf_add(&out, unprotected);
    cu_buf_add(&out, payload_item);
    cu_cbor_put_bytes(&out, signature);
    return cu_buf_span(&out);
}

static const uint8_t zeros[64];
#define EMPTY_MAP cu_span("\xa0", 1)
#define ZEROS cu_span(zeros, 64)

static inline struct cu_span wrapped(struct cu_span bytes)
{
    static uint8_t mem[8][CU_ENTRY_MAX + 1024];
    static unsigned at;
    struct cu_buf out = cu_buf_over(mem[at++ % 8], sizeof mem[0]);

    cu_cbor_put_bytes(&out, bytes);
    return cu_buf_span(&out);
}

/* A statement of `kind` over these payload bytes, its signature all zeros: form is judged without looking at it. */
static inline struct cu_span unsigned_statement(const char *kind, const char *key, struct cu_span payload)
{
    return layers(header_bytes(header_of(kind, key)), EMPTY_MAP, wrapped(payload), ZEROS);
}

/* A payload as a kind's table writes it, rules between fields unchecked. */
static inline struct cu_span payload_of(enum cu_kind kind, const void *body)
{
    static uint8_t mem[8][CU_ENTRY_MAX + 1024];
    static unsigned at;
    struct cu_buf out = cu_buf_over(mem[at++ % 8], sizeof mem[0]);

    assert_ok(cu_schema_write(cu_kind_row(kind)->payload, body, &out, &err));
    return cu_buf_span(&out);
}

static inline struct cu_span signed_statement(enum cu_kind kind, const char *key, const void *body)
{
    static uint8_t mem[8][CU_ENTRY_MAX];
    static unsigned at;
    struct cu_buf out = cu_buf_over(mem[at++ % 8], sizeof mem[0]);
    cu_hash network = the_network();

    assert_ok(cu_statement_sign(kind, body, &network, &key_of(key)->private_, &out, &err));
    return cu_buf_span(&out);
}

static inline struct cu_claim a_claim(void)
{
    return (struct cu_claim){ .serial = 1, .content = CU_CONTENT_ITEM, .size = 5, .time = 1000, .seen = { .seq = 2 } };
}

#endif
