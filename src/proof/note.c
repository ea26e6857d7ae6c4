/* C2SP signed notes: text, a blank line, signature lines.  Source: c2sp.org/signed-note, tlog-cosignature.
 *
 *  1. The text ends in \n; the LAST blank line ends it. Nothing but signature lines stands after that line, at least one.
 *  2. A line is "— ", a name, one space, strict base64 of a four-byte key id and at least one byte; names are not empty and
 *     have no Unicode space and no '+'.
 *  3. The whole is UTF-8 without control characters below U+0020 but \n.
 *  4. Reading trusts nothing: who signed is for the policy to say. Lines that repeat a (name, id) are allowed, as the
 *     specification leaves them; every one by a known key must verify, and a key counts once.
 */
#include "judge.h"

static const char dash[] = "\xE2\x80\x94 "; /* U+2014 and a space */

/* ---- names --------------------------------------------------------------------------------------------------------- */

/* Unicode's White_Space. */
static const struct {
    uint32_t first, last;
} spaces[] = {
    { 0x09, 0x0D },     { 0x20, 0x20 },     { 0x85, 0x85 },     { 0xA0, 0xA0 },     { 0x1680, 0x1680 },
    { 0x2000, 0x200A }, { 0x2028, 0x2029 }, { 0x202F, 0x202F }, { 0x205F, 0x205F }, { 0x3000, 0x3000 },
};

static bool is_space(uint32_t c)
{
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++)
        if (c >= spaces[i].first && c <= spaces[i].last) return true;
    return false;
}

static bool name_ok(struct cu_span name)
{
    uint32_t c;

    if (name.n == 0) return false;
    for (size_t n; name.n > 0; name = cu_span(name.p + n, name.n - n)) {
        n = cu_utf8_next(name, &c);
        if (n == 0 || is_space(c) || c == '+' || c < 0x20) return false;
    }
    return true;
}

/* ---- verifier keys ------------------------------------------------------------------------------------------------- */

static uint32_t vkey_id(struct cu_span name, enum cu_note_key_type type, const struct cu_public_key *pub)
{
    uint8_t nl_type[2] = { '\n', (uint8_t)type };
    struct cu_span parts[] = { name, CU_SPAN_OF(nl_type), cu_public_span(pub) };
    cu_hash h = cu_sha256_parts(parts, 3);

    return cu_be32(h.b);
}

cu_status cu_vkey_make(struct cu_span name, enum cu_note_key_type type, const struct cu_public_key *pub, struct cu_vkey *ret,
                       struct cu_err *err)
{
    ENSURE(name_ok(name), err, CU_MALFORMED, "a key name has no space, no '+' and at least one character");
    ENSURE(type == CU_NOTE_ED25519 || type == CU_NOTE_COSIGNATURE, err, CU_MALFORMED, "keys of note type %u are not used here",
           (unsigned)type);
    ENSURE(pub->alg == CU_ALG_EDDSA, err, CU_BAD_KEY, "notes are signed by Ed25519 keys");
    *ret = (struct cu_vkey){ .name = name, .id = vkey_id(name, type, pub), .type = type, .pub = *pub };
    return CU_OK;
}

cu_status cu_vkey_parse(struct cu_span text, struct cu_vkey *ret, struct cu_err *err)
{
    struct cu_span name, id;
    uint8_t id_bytes[4], key[1 + 32];
    struct cu_public_key pub = { .alg = CU_ALG_EDDSA };
    struct cu_vkey out;

    ENSURE(cu_span_split(&text, '+', &name) && cu_span_split(&text, '+', &id), err, CU_MALFORMED,
           "a verifier key is name+hash+key");
    TRY(cu_hex_read(id, id_bytes, sizeof id_bytes, err));
    ENSURE(cu_base64_exact(text, key, sizeof key, err) == CU_OK, err, CU_MALFORMED,
           "a verifier key holds a type byte and 32 bytes, in strict base64");
    memcpy(pub.bytes, key + 1, 32);
    TRY(cu_vkey_make(name, (enum cu_note_key_type)key[0], &pub, &out, err));
    ENSURE(out.id == cu_be32(id_bytes), err, CU_MALFORMED, "a verifier key's hash is not that of its name and key");
    *ret = out;
    return CU_OK;
}

cu_status cu_vkey_read(struct cu_span text, struct cu_vkey *ret, struct cu_err *err)
{
    struct cu_vkey out;

    TRY(cu_vkey_parse(text, &out, err));
    TRY(cu_public_check(&out.pub, err));
    *ret = out;
    return CU_OK;
}

cu_status cu_vkey_write(const struct cu_vkey *vkey, struct cu_buf *out, struct cu_err *err)
{
    uint8_t id[4], key[33];

    cu_put_be32(id, vkey->id);
    key[0] = (uint8_t)vkey->type;
    memcpy(key + 1, vkey->pub.bytes, 32);
    cu_buf_add(out, vkey->name);
    cu_buf_add_byte(out, '+');
    cu_hex_put(out, CU_SPAN_OF(id));
    cu_buf_add_byte(out, '+');
    cu_base64_put(out, CU_SPAN_OF(key));
    return cu_buf_ok(out, err);
}

/* ---- reading ------------------------------------------------------------------------------------------------------- */

static bool clean(struct cu_span bytes)
{
    for (size_t i = 0; i < bytes.n; i++)
        if (bytes.p[i] < 0x20 && bytes.p[i] != '\n') return false;
    return cu_utf8_ok(bytes);
}

/* By (1): text and signature lines. */
static bool split(struct cu_span bytes, struct cu_span *ret_text, struct cu_span *ret_sigs)
{
    for (size_t i = bytes.n; i >= 2; i--) {
        if (bytes.p[i - 1] != '\n' || bytes.p[i - 2] != '\n') continue;
        *ret_text = cu_span(bytes.p, i - 1);
        *ret_sigs = cu_span(bytes.p + i, bytes.n - i);
        return true;
    }
    return false;
}

static cu_status read_line(struct cu_span line, struct cu_note_sig *ret, struct cu_err *err)
{
    uint8_t mem[CU_NOTE_MAX];
    struct cu_buf blob = cu_buf_over(mem, sizeof mem);
    struct cu_span rest = line;

    ret->line = line;
    ENSURE(cu_span_take(&rest, dash), err, CU_MALFORMED, "a signature line begins with an em dash and a space");
    ENSURE(cu_span_split(&rest, ' ', &ret->name) && name_ok(ret->name), err, CU_MALFORMED,
           "a signature line has a key name without spaces and '+'");
    ENSURE(cu_base64_read(rest, &blob, err) == CU_OK && blob.n > 4, err, CU_MALFORMED,
           "a signature line ends in strict base64 of more than four bytes");
    ret->id = cu_be32(mem);
    ret->n = blob.n - 4;
    memcpy(ret->blob, mem + 4, ret->n < sizeof ret->blob ? ret->n : sizeof ret->blob);
    return CU_OK;
}

cu_status cu_note_read(struct cu_span bytes, struct cu_note *ret, struct cu_err *err)
{
    struct cu_span sigs, line;
    struct cu_lines lines;
    size_t n = 0;

    ENSURE(bytes.n <= CU_NOTE_MAX, err, CU_TOO_LARGE, "a note has at most %d bytes", CU_NOTE_MAX);
    ENSURE(clean(bytes), err, CU_MALFORMED, "a note is UTF-8 without control characters");
    ENSURE(split(bytes, &ret->text, &sigs), err, CU_MALFORMED, "a note has a blank line between text and signatures");
    ENSURE(sigs.n > 0, err, CU_MALFORMED, "a note has at least one signature line");

    lines = cu_lines_on(sigs);
    while (cu_lines_next(&lines, &line)) {
        ENSURE(n < CU_NOTE_SIGNATURES_MAX, err, CU_TOO_LARGE, "a note has at most %d signature lines", CU_NOTE_SIGNATURES_MAX);
        TRY(read_line(line, &ret->sig[n], err));
        n++;
    }
    ENSURE(!lines.bad, err, CU_MALFORMED, "a note's last line ends in a newline");
    ret->sigs_n = n;
    return CU_OK;
}

/* ---- signing and verifying ----------------------------------------------------------------------------------------- */

/* What a line of this type signs: the text, or for a timestamped cosignature time and text, built in `room`. */
static struct cu_span message_of(enum cu_note_key_type type, struct cu_span text, uint64_t unix_s, struct cu_buf *room)
{
    if (type != CU_NOTE_COSIGNATURE) return text;
    cu_buf_addf(room, "cosignature/v1\ntime %llu\n", LLU(unix_s));
    cu_buf_add(room, text);
    return cu_buf_span(room);
}
#define MESSAGE_MAX (CU_NOTE_MAX + 64)

/* The first line brings the text with it. */
static cu_status put_line(struct cu_buf *out, struct cu_span text, const struct cu_vkey *vkey, struct cu_span blob,
                          struct cu_err *err)
{
    uint8_t mem[4 + 8 + CU_SIGNATURE_LEN];
    struct cu_buf payload = cu_buf_over(mem, sizeof mem);

    cu_put_be32(cu_buf_grow(&payload, 4), vkey->id);
    cu_buf_add(&payload, blob);
    if (out->n == 0) {
        cu_buf_add(out, text);
        cu_buf_add_byte(out, '\n');
    }
    cu_buf_add_str(out, dash);
    cu_buf_add(out, vkey->name);
    cu_buf_add_byte(out, ' ');
    cu_base64_put(out, cu_buf_span(&payload));
    cu_buf_add_byte(out, '\n');
    return cu_buf_ok(out, err);
}

static size_t stamp_len(enum cu_note_key_type type) { return type == CU_NOTE_COSIGNATURE ? 8 : 0; }

static cu_status sign(struct cu_buf *out, enum cu_note_key_type type, struct cu_span text, struct cu_span name,
                      const struct cu_private_key *key, uint64_t unix_s, struct cu_err *err)
{
    uint8_t mem[MESSAGE_MAX], blob[8 + CU_SIGNATURE_LEN];
    struct cu_buf room = cu_buf_over(mem, sizeof mem);
    struct cu_span message = message_of(type, text, unix_s, &room);
    size_t stamp = stamp_len(type);
    struct cu_vkey vkey;

    ENSURE(unix_s <= INT64_MAX, err, CU_MALFORMED, "a cosignature's time is below 2^63");
    TRY(cu_vkey_make(name, type, &key->pub, &vkey, err));
    TRY(cu_buf_ok(&room, err));
    cu_put_be64(blob, unix_s);
    TRY(cu_sign(key, message, blob + stamp, err));
    return put_line(out, text, &vkey, cu_span(blob, stamp + CU_SIGNATURE_LEN), err);
}

cu_status cu_note_sign(struct cu_buf *out, struct cu_span text, struct cu_span name, const struct cu_private_key *key,
                       struct cu_err *err)
{
    return sign(out, CU_NOTE_ED25519, text, name, key, 0, err);
}

cu_status cu_note_cosign(struct cu_buf *out, struct cu_span text, struct cu_span name, const struct cu_private_key *key,
                         uint64_t unix_s, struct cu_err *err)
{
    return sign(out, CU_NOTE_COSIGNATURE, text, name, key, unix_s, err);
}

cu_status cu_note_verify(const struct cu_note *note, const struct cu_note_sig *sig, const struct cu_vkey *vkey,
                         struct cu_verifier *by, uint64_t *ret_unix_s, struct cu_err *err)
{
    uint8_t mem[MESSAGE_MAX];
    struct cu_buf room = cu_buf_over(mem, sizeof mem);
    size_t stamp = stamp_len(vkey->type);
    uint64_t unix_s = stamp > 0 ? cu_be64(sig->blob) : 0;
    struct cu_span message = message_of(vkey->type, note->text, unix_s, &room);

    ENSURE(sig->n == stamp + CU_SIGNATURE_LEN && unix_s <= INT64_MAX, err, CU_MALFORMED,
           stamp > 0 ? "a cosignature is a time below 2^63 and 64 bytes" : "an Ed25519 signature has 64 bytes");
    TRY(cu_buf_ok(&room, err));
    TRY(cu_verify_one(by, &vkey->pub, message, sig->blob + stamp, err));
    *ret_unix_s = unix_s;
    return CU_OK;
}
