/* Sealing: the published vectors, what is sealed is opened by whom it is for and by nobody else, and nothing that was altered is. */
#include "custody/age.h"
#include "custody/key.h"
#include "custody/text.h"

#include "support.h"

#include <dirent.h>

#define TEXT(literal) cu_span(literal, sizeof(literal) - 1)

enum { BYTES_MAX = 1 << 20 };

/* The whole of `sealed` in pieces of `piece` bytes, into `out`. */
static cu_status open_in_pieces(struct cu_age_open *open, struct cu_span sealed, size_t piece, struct cu_buf *out,
                                struct cu_err *err)
{
    while (sealed.n > 0) {
        const size_t n = sealed.n < piece ? sealed.n : piece;
        TRY(cu_age_open_add(open, cu_span(sealed.p, n), out, err));
        sealed = cu_span_from(sealed, n);
    }
    return cu_age_open_finish(open, out, err);
}

static cu_status open_by(const struct cu_age_identity *by, size_t by_n, struct cu_span sealed, size_t piece, struct cu_buf *out,
                         struct cu_err *err)
{
    struct cu_age_open *open = malloc(sizeof *open);

    cu_age_open_start(by, by_n, open);
    cu_status status = open_in_pieces(open, sealed, piece, out, err);
    cu_age_open_free(open);
    for (size_t i = 0; i < sizeof *open; i++) assert_int_equal(((uint8_t *)open)[i], 0);
    free(open);
    return status;
}

static void seal_for(const struct cu_age_recipient *to, size_t to_n, struct cu_span plain, size_t piece, struct cu_buf *out)
{
    struct cu_age_seal *seal = malloc(sizeof *seal);

    assert_ok(cu_age_seal_start(to, to_n, seal, out, NULL));
    while (plain.n > 0) {
        const size_t n = plain.n < piece ? plain.n : piece;
        assert_ok(cu_age_seal_add(seal, cu_span(plain.p, n), out, NULL));
        plain = cu_span_from(plain, n);
    }
    assert_ok(cu_age_seal_finish(seal, out, NULL));
    cu_age_seal_free(seal);
    for (size_t i = 0; i < sizeof *seal; i++) assert_int_equal(((uint8_t *)seal)[i], 0);
    free(seal);
}

static struct cu_age_identity someone(void)
{
    struct cu_age_identity ret;

    assert_ok(cu_age_identity_generate(&ret, NULL));
    return ret;
}

/* ---- the published vectors ------------------------------------------------------------------------------------------- */

struct vector {
    struct cu_age_identity by[4];
    size_t by_n;
    char expect[32], payload[65];
    bool compressed, armored;
    struct cu_span sealed;
};

static bool key_line(struct cu_span line, const char *key, char *ret, size_t size)
{
    if (!cu_span_take(&line, key) || !cu_span_take(&line, ": ")) return false;
    assert_true(line.n < size);
    memcpy(ret, line.p, line.n);
    ret[line.n] = '\0';
    return true;
}

static void read_line(struct cu_span line, struct vector *v)
{
    char text[200];

    (void)key_line(line, "expect", v->expect, sizeof v->expect);
    (void)key_line(line, "payload", v->payload, sizeof v->payload);
    v->compressed |= cu_span_starts(line, TEXT("compressed: "));
    v->armored |= cu_span_starts(line, TEXT("armored: yes"));
    if (!key_line(line, "identity", text, sizeof text)) return;
    cu_status status = cu_age_identity_read(cu_span_str(text), &v->by[v->by_n], NULL);
    if (strstr(text, "-PQ-") != NULL) assert_status(status, CU_MALFORMED); /* of a kind that is stepped over */
    else assert_ok(status);
    v->by_n += status == CU_OK;
}

static struct vector vector_read(struct cu_span file)
{
    struct vector v = { 0 };
    struct cu_span line;

    while (cu_span_split(&file, '\n', &line) && line.n > 0) read_line(line, &v);
    v.sealed = file;
    return v;
}

/* What the vector's word is here. Of passphrases and of the hybrid kind only what any reader of the header must see is seen. */
static cu_status expected(const char *name, const struct vector *v)
{
    static const char *const seen_by_all[] = { "scrypt_and_x25519", "scrypt_double", "scrypt_not_canonical_body",
                                               "hybrid_not_canonical_body", "hybrid_x25519_arg" };

    if (v->armored) return CU_MALFORMED;
    for (size_t i = 0; i < sizeof seen_by_all / sizeof *seen_by_all; i++)
        if (strcmp(name, seen_by_all[i]) == 0) return CU_MALFORMED;
    if (strncmp(name, "scrypt", 6) == 0 || strncmp(name, "hybrid", 6) == 0 || strcmp(v->expect, "no match") == 0)
        return CU_SEALED;
    if (strcmp(v->expect, "success") == 0) return CU_OK;
    if (strcmp(v->expect, "HMAC failure") == 0) return CU_BAD_HASH;
    if (strcmp(v->expect, "payload failure") == 0) return CU_CORRUPT;
    assert_string_equal(v->expect, "header failure");
    return CU_MALFORMED;
}

static void judge_vector(const char *name, const struct vector *v, size_t piece)
{
    struct cu_err err = { 0 };
    char digest[65];
    CU_BUF out = cu_buf_heap(BYTES_MAX);
    cu_status status = open_by(v->by, v->by_n, v->sealed, piece, &out, &err), want = expected(name, v);

    if (status != want) fail_msg("%s: %s, not %s (%s)", name, cu_status_name(status), cu_status_name(want), err.text);
    cu_hash hash = cu_sha256(cu_buf_span(&out));
    cu_hash_hex(&hash, digest);
    if (want == CU_OK || want == CU_CORRUPT) assert_string_equal(digest, v->payload);
    else assert_int_equal(out.n, 0);
    if (v->armored && cu_span_starts(v->sealed, TEXT("-----BEGIN AGE ENCRYPTED FILE-----\n")))
        assert_non_null(strstr(err.text, "armor"));
}

static void the_published_vectors_are_judged_as_they_say(void **state)
{
    static uint8_t bytes[BYTES_MAX];
    size_t judged = 0, packed = 0;
    char path[4096];

    (void)state;
    DIR *dir = opendir(TEST_SOURCE_DIR "/tests/vectors/age");
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (strchr(entry->d_name, '.') != NULL) continue;
        (void)snprintf(path, sizeof path, TEST_SOURCE_DIR "/tests/vectors/age/%s", entry->d_name);
        FILE *in = fopen(path, "rb");
        assert_non_null(in);
        struct vector v = vector_read(cu_span(bytes, fread(bytes, 1, sizeof bytes, in)));
        fclose(in);
        packed += v.compressed;
        if (v.compressed) continue;
        for (size_t piece = 1; piece <= sizeof bytes; piece *= 32) judge_vector(entry->d_name, &v, piece);
        judged++;
    }
    closedir(dir);
    assert_int_equal(judged + packed, 143);
    assert_int_equal(packed, 22);
}

/* ---- sealed and opened ---------------------------------------------------------------------------------------------- */

static void what_is_sealed_is_opened_by_each_whom_it_is_for(void **state)
{
    static const size_t sizes[] = { 0, 1, 15, 65535, 65536, 65537, 131071, 131072, 131073, 300000 };
    static uint8_t plain[300000];
    struct chance c = chance_begin();
    struct cu_age_identity who[3] = { someone(), someone(), someone() }, stranger = someone();
    const struct cu_age_recipient to[3] = { who[0].recipient, who[1].recipient, who[2].recipient };

    (void)state;
    chance_bytes(&c, plain, sizeof plain);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const size_t to_n = 1 + i % 3;
        CU_BUF sealed = cu_buf_heap(BYTES_MAX);
        CU_BUF out = cu_buf_heap(BYTES_MAX);
        seal_for(to, to_n, cu_span(plain, sizes[i]), 1 + chance_below(&c, 100000), &sealed);
        assert_int_equal(sealed.n, cu_age_sealed_size(to_n, sizes[i]));
        for (size_t k = 0; k < to_n; k++) {
            cu_buf_clear(&out);
            assert_ok(open_by(&who[k], 1, cu_buf_span(&sealed), 1 + chance_below(&c, 100000), &out, NULL));
            assert_true(cu_span_eq(cu_buf_span(&out), cu_span(plain, sizes[i])));
        }
        cu_buf_clear(&out);
        assert_status(open_by(&stranger, 1, cu_buf_span(&sealed), sealed.n, &out, NULL), CU_SEALED);
        assert_status(open_by(NULL, 0, cu_buf_span(&sealed), sealed.n, &out, NULL), CU_SEALED);
        assert_int_equal(out.n, 0);
    }
}

static void two_sealings_of_one_content_have_nothing_in_common(void **state)
{
    struct cu_age_identity who = someone();
    uint8_t plain[64] = { 0 };
    CU_BUF a = cu_buf_heap(1000);
    CU_BUF b = cu_buf_heap(1000);

    (void)state;
    seal_for(&who.recipient, 1, CU_SPAN_OF(plain), 64, &a);
    seal_for(&who.recipient, 1, CU_SPAN_OF(plain), 64, &b);
    for (size_t at = 22; at + 16 <= a.n; at++) /* after the version line no sixteen bytes of one stand in the other */
        assert_null(memmem(b.p + 22, b.n - 22, a.p + at, 16));
}

/* ---- altered, cut, put together anew ---------------------------------------------------------------------------------- */

static void after_any_flipped_bit_nothing_is_whole(void **state)
{
    struct cu_age_identity who[2] = { someone(), someone() };
    const struct cu_age_recipient to[2] = { who[0].recipient, who[1].recipient };
    CU_BUF sealed = cu_buf_heap(1000);

    (void)state;
    seal_for(to, 2, TEXT("I saw the red car at nine."), 100, &sealed);
    const size_t header = cu_age_header_end(cu_buf_span(&sealed));
    for (size_t bit = 0; bit < 8 * sealed.n; bit++) {
        CU_BUF out = cu_buf_heap(1000);
        sealed.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        cu_status status = open_by(&who[1], 1, cu_buf_span(&sealed), sealed.n, &out, NULL);
        sealed.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(out.n, 0);
        if (bit / 8 >= header) assert_status(status, CU_CORRUPT);
        else assert_true(status == CU_MALFORMED || status == CU_SEALED || status == CU_BAD_HASH);
    }
    for (size_t n = 0; n < sealed.n; n++) {
        CU_BUF out = cu_buf_heap(1000);
        assert_status(open_by(who, 2, cu_span(sealed.p, n), 10, &out, NULL), n < header + 16 ? CU_MALFORMED : CU_CORRUPT);
        assert_int_equal(out.n, 0);
    }
}

/* Chunks of a sealed file named by digits; what of it comes out before it is refused. */
static void chunks_in_another_order_are_refused(void **state)
{
    static const struct {
        const char *order;
        size_t given;
    } cases[] = { { "0132", 2 },  { "1", 0 }, { "0", 1 },     { "01", 2 },   { "012", 3 },
                  { "00123", 1 }, { "3", 0 }, { "01233", 3 }, { "0123x", 3 } };
    static uint8_t plain[3 * CU_AGE_CHUNK + 5];
    const size_t one = CU_AGE_CHUNK + CU_AGE_TAG;
    struct cu_age_identity who = someone();
    CU_BUF sealed = cu_buf_heap(BYTES_MAX);

    (void)state;
    seal_for(&who.recipient, 1, CU_SPAN_OF(plain), sizeof plain, &sealed);
    const size_t begin = cu_age_header_end(cu_buf_span(&sealed)) + CU_AGE_NONCE;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CU_BUF file = cu_buf_heap(BYTES_MAX);
        CU_BUF out = cu_buf_heap(BYTES_MAX);
        cu_buf_add(&file, cu_span(sealed.p, begin));
        for (const char *c = cases[i].order; *c != '\0'; c++) {
            if (*c == 'x') cu_buf_add_byte(&file, 0);
            else cu_buf_add(&file, cu_span(sealed.p + begin + (size_t)(*c - '0') * one, *c == '3' ? 5 + CU_AGE_TAG : one));
        }
        assert_status(open_by(&who, 1, cu_buf_span(&file), 50000, &out, NULL), CU_CORRUPT);
        assert_int_equal(out.n, cases[i].given * CU_AGE_CHUNK);
    }
}

static void a_full_last_chunk_tells_whether_the_end_is_missing_or_something_follows(void **state)
{
    static uint8_t plain[2 * CU_AGE_CHUNK];
    struct cu_age_identity who = someone();
    struct cu_err err;
    CU_BUF sealed = cu_buf_heap(BYTES_MAX);
    CU_BUF out = cu_buf_heap(BYTES_MAX);

    (void)state;
    seal_for(&who.recipient, 1, CU_SPAN_OF(plain), sizeof plain, &sealed);
    const struct cu_span cut = cu_span(sealed.p, sealed.n - CU_AGE_CHUNK - CU_AGE_TAG);
    assert_status(open_by(&who, 1, cut, 4096, &out, &err), CU_CORRUPT);
    assert_non_null(strstr(err.text, "the end is missing"));
    assert_int_equal(out.n, CU_AGE_CHUNK);
    cu_buf_clear(&out);
    cu_buf_add_byte(&sealed, 0);
    assert_status(open_by(&who, 1, cu_buf_span(&sealed), 4096, &out, &err), CU_CORRUPT);
    assert_non_null(strstr(err.text, "others follow"));
    assert_int_equal(out.n, sizeof plain);
}

/* ---- readers added later, lanes ---------------------------------------------------------------------------------------- */

static void a_reader_is_added_without_touching_what_is_stored(void **state)
{
    struct cu_age_identity first = someone(), later = someone();
    struct cu_age_key key, other, found;
    struct cu_age_open open;
    CU_BUF sealed = cu_buf_heap(1000);
    CU_BUF granted = cu_buf_heap(1000);
    CU_BUF out = cu_buf_heap(1000);

    (void)state;
    seal_for(&first.recipient, 1, TEXT("I saw the red car at nine."), 100, &sealed);
    const size_t end = cu_age_header_end(cu_buf_span(&sealed));
    const struct cu_span header = cu_span(sealed.p, end);
    assert_status(cu_age_header_open(header, &later, 1, &key, NULL), CU_SEALED);
    assert_ok(cu_age_header_open(header, &first, 1, &key, NULL));
    assert_ok(cu_age_key_generate(&other, NULL));
    assert_ok(cu_age_header_put(&other, &later.recipient, 1, &granted, NULL)); /* of another file: passed over */
    assert_status(cu_age_header_open_granted(header, cu_buf_span(&granted), &later, 1, &found, NULL), CU_SEALED);
    assert_ok(cu_age_header_put(&key, &first.recipient, 1, &granted, NULL)); /* for another reader: too */
    assert_status(cu_age_header_open_granted(header, cu_buf_span(&granted), &later, 1, &found, NULL), CU_SEALED);
    assert_ok(cu_age_header_put(&key, &later.recipient, 1, &granted, NULL));
    assert_ok(cu_age_header_open_granted(header, cu_buf_span(&granted), &later, 1, &found, NULL));
    assert_memory_equal(found.b, key.b, sizeof key.b);
    cu_age_open_start(&later, 1, &open); /* the stored file as it is, by a grant's header */
    open.granted = cu_buf_span(&granted);
    assert_ok(open_in_pieces(&open, cu_buf_span(&sealed), 7, &out, NULL));
    assert_memory_equal(open.key.b, key.b, sizeof key.b);
    cu_age_open_free(&open);
    assert_true(cu_span_is(cu_buf_span(&out), "I saw the red car at nine."));

    cu_buf_clear(&granted);
    cu_buf_clear(&out);
    assert_ok(cu_age_header_put(&key, &later.recipient, 1, &granted, NULL));
    cu_buf_add(&granted, cu_span_from(cu_buf_span(&sealed), end));
    assert_ok(open_by(&later, 1, cu_buf_span(&granted), 7, &out, NULL));
    assert_true(cu_span_is(cu_buf_span(&out), "I saw the red car at nine."));
}

static void lanes_seal_chunks_in_any_order(void **state)
{
    static uint8_t plain[3 * CU_AGE_CHUNK + 5];
    static const unsigned order[] = { 3, 1, 0, 2 };
    struct chance c = chance_begin();
    struct cu_age_identity who = someone();
    struct cu_age_key key;
    uint8_t nonce[CU_AGE_NONCE] = { 1, 2, 3 };
    CU_BUF file = cu_buf_heap(BYTES_MAX);
    CU_BUF out = cu_buf_heap(BYTES_MAX);

    (void)state;
    chance_bytes(&c, plain, sizeof plain);
    assert_ok(cu_age_key_generate(&key, NULL));
    assert_ok(cu_age_header_put(&key, &who.recipient, 1, &file, NULL));
    cu_buf_add(&file, CU_SPAN_OF(nonce));
    uint8_t *at = cu_buf_grow(&file, sizeof plain + 4 * CU_AGE_TAG);
    for (size_t i = 0; i < 4; i++) {
        struct cu_age_cipher lane;
        const size_t k = order[i];
        const struct cu_span chunk = cu_span(plain + k * CU_AGE_CHUNK, k == 3 ? 5 : CU_AGE_CHUNK);
        assert_ok(cu_age_cipher_start(&key, nonce, &lane, NULL));
        assert_ok(cu_age_chunk_seal(&lane, k, k == 3, chunk, at + k * (CU_AGE_CHUNK + CU_AGE_TAG), NULL));
        cu_age_cipher_free(&lane);
    }
    assert_int_equal(file.n, cu_age_sealed_size(1, sizeof plain));
    assert_ok(open_by(&who, 1, cu_buf_span(&file), 65536, &out, NULL));
    assert_true(cu_span_eq(cu_buf_span(&out), CU_SPAN_OF(plain)));
}

/* "The final chunk … MUST NOT be empty unless the whole payload is empty": made with the very key, its tags are right. */
static void an_empty_last_part_after_others_is_refused(void **state)
{
    static const uint8_t plain[CU_AGE_CHUNK];
    static const uint8_t nonce[CU_AGE_NONCE];
    struct cu_age_identity who = someone();
    struct cu_age_cipher cipher;
    struct cu_age_key key;
    struct cu_err err;
    CU_BUF file = cu_buf_heap(BYTES_MAX);
    CU_BUF out = cu_buf_heap(BYTES_MAX);

    (void)state;
    assert_ok(cu_age_key_generate(&key, NULL));
    assert_ok(cu_age_header_put(&key, &who.recipient, 1, &file, NULL));
    cu_buf_add(&file, CU_SPAN_OF(nonce));
    assert_ok(cu_age_cipher_start(&key, nonce, &cipher, NULL));
    assert_ok(cu_age_chunk_seal(&cipher, 0, false, CU_SPAN_OF(plain), cu_buf_grow(&file, sizeof plain + CU_AGE_TAG), NULL));
    assert_ok(cu_age_chunk_seal(&cipher, 1, true, CU_SPAN_EMPTY, cu_buf_grow(&file, CU_AGE_TAG), NULL));
    cu_age_cipher_free(&cipher);
    assert_status(open_by(&who, 1, cu_buf_span(&file), 9999, &out, &err), CU_CORRUPT);
    assert_non_null(strstr(err.text, "empty part"));
    assert_int_equal(out.n, sizeof plain);
}

/* ---- keys ----------------------------------------------------------------------------------------------------------- */

static void keys_are_those_of_the_specification(void **state)
{
    static const char secret[] = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
    static const char public[] = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
    struct cu_age_identity identity;
    struct cu_age_recipient recipient;
    CU_BUF text = cu_buf_heap(200);

    (void)state;
    assert_ok(cu_age_identity_read(cu_span_str(secret), &identity, NULL));
    assert_ok(cu_age_recipient_read(cu_span_str(public), &recipient, NULL));
    for (size_t i = 0; i < 32; i++) assert_int_equal(identity.secret[i], 0x42);
    assert_memory_equal(&identity.recipient, &recipient, sizeof recipient);
    cu_age_identity_put(&text, &identity);
    assert_true(cu_span_is(cu_buf_span(&text), secret));
    cu_buf_clear(&text);
    cu_age_recipient_put(&text, &recipient);
    assert_true(cu_span_is(cu_buf_span(&text), public));
    assert_status(cu_age_recipient_read(cu_span_str(secret), &recipient, NULL), CU_MALFORMED);
    assert_status(cu_age_identity_read(cu_span_str(public), &identity, NULL), CU_MALFORMED);
    cu_age_identity_free(&identity);
    for (size_t i = 0; i < sizeof identity; i++) assert_int_equal(((uint8_t *)&identity)[i], 0);
}

static void a_sealing_key_lies_in_a_file_as_the_others_do(void **state)
{
    struct cu_age_identity who[2] = { someone(), { .secret = { 0xff, 1, [31] = 0xff } } },
                           back; /* the second: as no generator leaves it */
    struct cu_private_key other;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        CU_BUF text = cu_buf_heap(200);
        CU_BUF plain = cu_buf_heap(2000);
        CU_BUF locked = cu_buf_heap(2000);
        cu_age_identity_put(&text, &who[i]);
        assert_ok(cu_age_identity_read(cu_buf_span(&text), &who[i], NULL));
        assert_ok(cu_age_identity_to_pem(&who[i], CU_SPAN_EMPTY, &plain, NULL));
        assert_true(cu_span_starts(cu_buf_span(&plain), TEXT("-----BEGIN PRIVATE KEY-----\n")));
        assert_ok(cu_age_identity_from_pem(cu_buf_span(&plain), CU_SPAN_EMPTY, &back, NULL));
        assert_memory_equal(&back, &who[i], sizeof back);
        assert_status(cu_private_from_pem(cu_buf_span(&plain), CU_SPAN_EMPTY, &other, NULL), CU_BAD_KEY);

        assert_ok(cu_age_identity_to_pem(&who[i], TEXT("secret"), &locked, NULL));
        assert_true(cu_span_starts(cu_buf_span(&locked), TEXT("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")));
        assert_ok(cu_age_identity_from_pem(cu_buf_span(&locked), TEXT("secret"), &back, NULL));
        assert_memory_equal(&back, &who[i], sizeof back);
        assert_status(cu_age_identity_from_pem(cu_buf_span(&locked), CU_SPAN_EMPTY, &back, NULL), CU_WRONG_PASSPHRASE);
        assert_status(cu_age_identity_from_pem(cu_buf_span(&locked), TEXT("Secret"), &back, NULL), CU_WRONG_PASSPHRASE);
    }
    CU_BUF pem = cu_buf_heap(2000);
    assert_ok(cu_private_generate(CU_ALG_EDDSA, &other, NULL));
    assert_ok(cu_private_to_pem(&other, CU_SPAN_EMPTY, &pem, NULL));
    assert_status(cu_age_identity_from_pem(cu_buf_span(&pem), CU_SPAN_EMPTY, &back, NULL), CU_BAD_KEY);
    assert_status(cu_age_identity_from_pem(TEXT("nothing"), CU_SPAN_EMPTY, &back, NULL), CU_MALFORMED);
    cu_private_free(&other);
}

static void nobody_seals_for_a_point_of_small_order(void **state)
{
    struct cu_age_recipient zero = { { 0 } }, back;
    struct cu_age_seal seal;
    CU_BUF text = cu_buf_heap(1000);

    (void)state;
    cu_age_recipient_put(&text, &zero);
    assert_status(cu_age_recipient_read(cu_buf_span(&text), &back, NULL), CU_BAD_KEY);
    zero.share[0] = 1;
    assert_status(cu_age_recipient_check(&zero, NULL), CU_BAD_KEY);
    assert_status(cu_age_seal_start(&zero, 1, &seal, &text, NULL), CU_BAD_KEY);
}

static void a_file_holds_1_to_16_identities(void **state)
{
    struct cu_age_identity who[CU_AGE_IDENTITIES_MAX + 1], read[CU_AGE_IDENTITIES_MAX];
    struct cu_err err;
    size_t n;
    CU_BUF file = cu_buf_heap(10000);

    (void)state;
    cu_buf_add_str(&file, "# created: 2026-11-27\r\n\n");
    assert_status(cu_age_identities_read(cu_buf_span(&file), read, &n, NULL), CU_MALFORMED);
    for (size_t i = 0; i <= CU_AGE_IDENTITIES_MAX; i++) {
        who[i] = someone();
        cu_age_identity_put(&file, &who[i]);
        if (i == CU_AGE_IDENTITIES_MAX) break;
        assert_ok(cu_age_identities_read(cu_buf_span(&file), read, &n, NULL)); /* the last line may lack its end */
        assert_int_equal(n, i + 1);
        assert_memory_equal(read, who, n * sizeof *who);
        cu_buf_add_str(&file, i % 2 ? "\n" : "\r\n");
    }
    assert_status(cu_age_identities_read(cu_buf_span(&file), read, &n, NULL), CU_TOO_LARGE);
    cu_buf_clear(&file);
    cu_age_identity_put(&file, &who[0]);
    cu_buf_add_str(&file, "\nage1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj\n");
    assert_status(cu_age_identities_read(cu_buf_span(&file), read, &n, &err), CU_MALFORMED);
    assert_non_null(strstr(err.text, "line 2"));
    for (size_t i = 0; i < sizeof read; i++) assert_int_equal(((uint8_t *)read)[i], 0);
}

/* ---- bounds --------------------------------------------------------------------------------------------------------- */

static void one_file_is_sealed_for_64_readers_at_most(void **state)
{
    struct cu_age_identity who = someone();
    struct cu_age_recipient to[CU_AGE_RECIPIENTS_MAX + 1];
    struct cu_age_key key = { { 7 } };
    CU_BUF out = cu_buf_heap(10000);

    (void)state;
    for (size_t i = 0; i <= CU_AGE_RECIPIENTS_MAX; i++) to[i] = who.recipient;
    assert_ok(cu_age_header_put(&key, to, CU_AGE_RECIPIENTS_MAX, &out, NULL));
    assert_ok(cu_age_header_open(cu_buf_span(&out), &who, 1, &key, NULL));
    assert_status(cu_age_header_put(&key, to, CU_AGE_RECIPIENTS_MAX + 1, &out, NULL), CU_TOO_LARGE);
    assert_status(cu_age_header_put(&key, to, 0, &out, NULL), CU_USAGE);
}

/* One unknown stanza makes it as long as it may be, or one byte longer: then no MAC is asked for any more. */
static void a_header_has_a_largest_size(void **state)
{
    struct cu_age_identity who = someone();

    (void)state;
    for (size_t over = 0; over < 2; over++) {
        struct cu_age_key key;
        struct cu_err err;
        CU_BUF out = cu_buf_heap(100);
        CU_BUF file = cu_buf_heap(2 * CU_AGE_HEADER_MAX);
        cu_buf_add_str(&file, "age-encryption.org/v1\n-> x");
        while (file.n < CU_AGE_HEADER_MAX + over - 50) cu_buf_add_byte(&file, 'x');
        cu_buf_add_str(&file, "\n\n--- ");
        for (size_t i = 0; i < 42; i++) cu_buf_add_byte(&file, 'A');
        cu_buf_add_str(&file, "A\n");
        assert_int_equal(file.n, CU_AGE_HEADER_MAX + over);
        assert_status(cu_age_header_open(cu_buf_span(&file), &who, 1, &key, NULL), over ? CU_TOO_LARGE : CU_SEALED);
        assert_status(open_by(&who, 1, cu_buf_span(&file), 1000, &out, &err), over ? CU_MALFORMED : CU_SEALED);
        assert_int_equal(strstr(err.text, "no header ends") != NULL, over);
    }
}

static void a_stream_says_when_there_is_no_room_for_what_it_gives(void **state)
{
    static uint8_t plain[100000];
    struct cu_age_identity who = someone();
    struct cu_age_seal seal;
    struct cu_age_open open;
    CU_BUF sealed = cu_buf_heap(BYTES_MAX);

    (void)state;
    seal_for(&who.recipient, 1, CU_SPAN_OF(plain), sizeof plain, &sealed);
    for (size_t room = 0; room < 184; room += 46) {
        CU_BUF small = cu_buf_heap(room);
        assert_status(cu_age_seal_start(&who.recipient, 1, &seal, &small, NULL), CU_TOO_LARGE);
    }
    CU_BUF small = cu_buf_heap(70000);
    assert_ok(cu_age_seal_start(&who.recipient, 1, &seal, &small, NULL));
    assert_ok(cu_age_seal_add(&seal, CU_SPAN_OF(plain), &small, NULL));
    assert_status(cu_age_seal_finish(&seal, &small, NULL), CU_TOO_LARGE);
    cu_age_seal_free(&seal);
    CU_BUF less = cu_buf_heap(1000);
    cu_age_open_start(&who, 1, &open);
    assert_status(cu_age_open_add(&open, cu_buf_span(&sealed), &less, NULL), CU_TOO_LARGE);
    cu_age_open_free(&open);
    cu_age_open_free(NULL);
    cu_age_seal_free(NULL);
    cu_age_identity_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_vectors_are_judged_as_they_say),
        cmocka_unit_test(what_is_sealed_is_opened_by_each_whom_it_is_for),
        cmocka_unit_test(two_sealings_of_one_content_have_nothing_in_common),
        cmocka_unit_test(after_any_flipped_bit_nothing_is_whole),
        cmocka_unit_test(chunks_in_another_order_are_refused),
        cmocka_unit_test(a_full_last_chunk_tells_whether_the_end_is_missing_or_something_follows),
        cmocka_unit_test(a_reader_is_added_without_touching_what_is_stored),
        cmocka_unit_test(lanes_seal_chunks_in_any_order),
        cmocka_unit_test(an_empty_last_part_after_others_is_refused),
        cmocka_unit_test(keys_are_those_of_the_specification),
        cmocka_unit_test(a_sealing_key_lies_in_a_file_as_the_others_do),
        cmocka_unit_test(nobody_seals_for_a_point_of_small_order),
        cmocka_unit_test(a_file_holds_1_to_16_identities),
        cmocka_unit_test(one_file_is_sealed_for_64_readers_at_most),
        cmocka_unit_test(a_header_has_a_largest_size),
        cmocka_unit_test(a_stream_says_when_there_is_no_room_for_what_it_gives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
