/* BIP-39 of 32 bytes: 256 bits and the first 8 of their SHA-256, eleven bits a word. Only the list and the arithmetic of that
 * standard are used: nothing here is secret, and no key comes of it. */
#include "custody/words.h"

#include "custody/digest.h"
#include "custody/text.h"
#include "words_list.h"

#define WORD_BITS 11
#define ID_LEN 32

static uint8_t check_bits(const cu_hash *id)
{
    const cu_hash digest = cu_sha256(cu_span_hash(id));

    return digest.b[0];
}

static struct cu_span word_at(unsigned index)
{
    const char *word = words + (size_t)index * CU_WORD_LEN;
    size_t n = CU_WORD_LEN;

    while (word[n - 1] == ' ') n--;
    return cu_span(word, n);
}

struct cu_span cu_word(const cu_hash *id, unsigned n)
{
    unsigned index = 0;

    CU_ASSERT(n < CU_WORDS);
    for (unsigned bit = n * WORD_BITS; bit < (n + 1) * WORD_BITS; bit++) {
        const uint8_t byte = bit < 256 ? id->b[bit / 8] : check_bits(id);
        index = index << 1 | (byte >> (7 - bit % 8) & 1);
    }
    return word_at(index);
}

void cu_words_put(struct cu_buf *out, const cu_hash *id)
{
    for (unsigned n = 0; n < CU_WORDS; n++) {
        if (n) cu_buf_add_byte(out, ' ');
        cu_buf_add(out, cu_word(id, n));
    }
}

/* ---- what a person typed ---- */
static bool is_letter(uint8_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }
static bool is_between(uint8_t c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',' || c == '-'; }

/* The next run of letters and digits, in lower case. MALFORMED at a byte that is neither that nor a separator. */
static cu_status next_token(struct cu_span *rest, char ret[2 * ID_LEN + 1], size_t *ret_n, struct cu_err *err)
{
    size_t n = 0;

    while (rest->n && is_between(*rest->p)) *rest = cu_span(rest->p + 1, rest->n - 1);
    while (n < rest->n && (is_letter(rest->p[n]) || is_digit(rest->p[n])) && n < 2 * ID_LEN) {
        ret[n] = (char)(is_letter(rest->p[n]) ? rest->p[n] | 0x20 : rest->p[n]);
        n++;
    }
    ret[n] = '\0';
    *rest = cu_span(rest->p + n, rest->n - n);
    if (n && rest->n && *rest->p == '.') *rest = cu_span(rest->p + 1, rest->n - 1); /* "7." before a word */
    ENSURE(!rest->n || is_between(*rest->p) || is_letter(*rest->p), err, CU_MALFORMED,
           "a network id is 24 words or 64 hex digits, and nothing else stands between them");
    *ret_n = n;
    return CU_OK;
}

/* How many letters does the list's word share with this from the start? */
static unsigned shared(unsigned index, const char *token)
{
    const struct cu_span word = word_at(index);
    unsigned n = 0;

    while (n < word.n && token[n] == (char)word.p[n]) n++;
    return n;
}

static cu_status find_word(const char *token, unsigned nth, unsigned *ret, struct cu_err *err)
{
    unsigned best = 0;

    for (unsigned i = 0; i < 1u << WORD_BITS; i++) {
        if (shared(i, token) > shared(best, token)) best = i;
        if (shared(i, token) == word_at(i).n && token[word_at(i).n] == '\0') return *ret = i, CU_OK;
    }
    const struct cu_span near = word_at(best);
    ENSURE(shared(best, token), err, CU_MALFORMED,
           "word %u, \"%s\", is not in the list of network words, nor are these 64 hex digits", nth + 1, token);
    return cu_fail(err, CU_MALFORMED, "word %u, \"%s\", is not in the list of network words; is it \"%.*s\"?", nth + 1, token,
                   (int)near.n, (const char *)near.p);
}

/* "7", beside the seventh word of a list. */
static bool is_number(const char *token)
{
    size_t n = 0;

    while (is_digit((uint8_t)token[n])) n++;
    return n <= 2 && token[n] == '\0';
}

static void put_bits(unsigned index, unsigned nth, uint8_t bits[ID_LEN + 1])
{
    for (unsigned k = 0; k < WORD_BITS; k++) {
        const unsigned bit = nth * WORD_BITS + k;
        bits[bit / 8] |= (uint8_t)((index >> (WORD_BITS - 1 - k) & 1) << (7 - bit % 8));
    }
}

static cu_status read_words(struct cu_span text, cu_hash *ret, struct cu_err *err)
{
    uint8_t bits[ID_LEN + 1] = { 0 };
    char token[2 * ID_LEN + 1] = "";
    unsigned nth = 0, index;
    size_t n;

    do {
        TRY(next_token(&text, token, &n, err));
        if (is_number(token)) continue; /* nothing, too */
        ENSURE(nth < CU_WORDS, err, CU_MALFORMED, "these are more than the %d words of a network id", CU_WORDS);
        TRY(find_word(token, nth, &index, err));
        put_bits(index, nth++, bits);
    } while (n);
    ENSURE(nth == CU_WORDS, err, CU_MALFORMED, "these are %u words; a network id has all %d of them, or 64 hex digits", nth,
           CU_WORDS);
    cu_hash id;
    memcpy(id.b, bits, sizeof id.b);
    ENSURE(bits[ID_LEN] == check_bits(&id), err, CU_BAD_HASH,
           "all %d words are in the list, but they do not belong together: one is mistaken, or two are exchanged", CU_WORDS);
    *ret = id;
    return CU_OK;
}

/* 64 hex digits, in groups or not. False: it is something else. */
static bool read_hex(struct cu_span text, cu_hash *ret)
{
    char hex[2 * ID_LEN];
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++) {
        if (is_between(text.p[i])) continue;
        if (n == sizeof hex) return false;
        hex[n++] = (char)(is_letter(text.p[i]) ? text.p[i] | 0x20 : text.p[i]);
    }
    return n == sizeof hex && cu_hex_read(cu_span(hex, n), ret->b, sizeof ret->b, NULL) == CU_OK;
}

cu_status cu_words_read(struct cu_span text, cu_hash *ret, struct cu_err *err)
{
    return read_hex(text, ret) ? CU_OK : read_words(text, ret, err);
}
