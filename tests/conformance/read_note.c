/* What we say of notes: on each line of input a verifier key and a note, both in hex; on each line of output "key" (the key is
 * refused), "malformed", "invalid", "unverified" or "ok", and behind the first two why. */
#include "custody/note.h"

#include <stdio.h>
#include <stdlib.h>

enum { BYTES_MAX = 1 << 20 };

static const char *open_note(const struct cu_note *note, const struct cu_vkey *key, struct cu_verifier *by)
{
    const char *verdict = "unverified";
    uint64_t unix_s;

    for (size_t i = 0; i < note->sigs_n; i++) {
        if (note->sig[i].id != key->id || !cu_span_eq(note->sig[i].name, key->name)) continue;
        if (cu_note_verify(note, &note->sig[i], key, by, &unix_s, NULL) != CU_OK) return "invalid";
        verdict = "ok";
    }
    return verdict;
}

static void answer(struct cu_span key_text, struct cu_span text, struct cu_verifier *by)
{
    static struct cu_note note;
    struct cu_vkey key;
    struct cu_err err;

    if (cu_vkey_read(key_text, &key, &err) != CU_OK) printf("key %s\n", err.text);
    else if (cu_note_read(text, &note, &err) != CU_OK) printf("malformed %s\n", err.text);
    else puts(open_note(&note, &key, by));
}

static struct cu_span unhex(struct cu_span hex, uint8_t *mem)
{
    if (hex.n / 2 > BYTES_MAX || cu_hex_read(hex, mem, hex.n / 2, NULL) != CU_OK) exit(2);
    return cu_span(mem, hex.n / 2);
}

int main(void)
{
    static uint8_t key[BYTES_MAX], text[BYTES_MAX];
    struct cu_verifier by = cu_verifier_plain();
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;

    if (cu_crypto_init(NULL) != CU_OK) return 2;
    while ((n = getline(&line, &cap, stdin)) > 0) {
        struct cu_span rest = cu_span(line, (size_t)n - (line[n - 1] == '\n')), first;
        if (!cu_span_split(&rest, ' ', &first)) return 2;
        struct cu_span key_text = unhex(first, key);
        answer(key_text, unhex(rest, text), &by);
    }
    free(line);
    return 0;
}
