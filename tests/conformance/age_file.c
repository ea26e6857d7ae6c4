/* Sealed files by our library, for scripts: standard input to standard output.
 *
 *     age_file keygen                     an identity; its recipient is in a comment, as age-keygen writes it
 *     age_file pem IDENTITIES             its first one as PKCS#8; and back:
 *     age_file unpem FILE
 *     age_file seal RECIPIENT…
 *     age_file open IDENTITIES [PIECE]    in pieces of so many bytes; on failure the status's name on standard error, exit 1
 *     age_file grant IDENTITIES RECIPIENT…    the same file for other readers: a new header, the payload as it stands
 */
#include "custody/age.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { PIECE = 1 << 20, ROOM = PIECE + (1 << 18) };

static uint8_t piece[PIECE], room[ROOM];
static struct cu_age_identity identities[CU_AGE_IDENTITIES_MAX];
static size_t identities_n;

static void must(cu_status status, const struct cu_err *err)
{
    if (status == CU_OK) return;
    fprintf(stderr, "%s: %s\n", cu_status_name(status), err->text);
    exit(1);
}

static void write_out(struct cu_buf *out)
{
    if (fwrite(out->p, 1, out->n, stdout) != out->n) perror("stdout"), exit(2);
    cu_buf_clear(out);
}

static struct cu_span read_file(const char *path)
{
    static uint8_t file[65536];
    FILE *in = fopen(path, "rb");

    if (!in) perror(path), exit(2);
    const size_t n = fread(file, 1, sizeof file, in);
    fclose(in);
    return cu_span(file, n);
}

static void read_identities(const char *path, struct cu_err *err)
{
    must(cu_age_identities_read(read_file(path), identities, &identities_n, err), err);
}

static size_t read_recipients(char **argv, struct cu_age_recipient *ret, struct cu_err *err)
{
    size_t n = 0;

    for (; argv[n] && n < CU_AGE_RECIPIENTS_MAX; n++) must(cu_age_recipient_read(cu_span_str(argv[n]), &ret[n], err), err);
    return n;
}

static void write_identity(struct cu_buf *out)
{
    cu_buf_add_str(out, "# public key: ");
    cu_age_recipient_put(out, &identities[0].recipient);
    cu_buf_add_byte(out, '\n');
    cu_age_identity_put(out, &identities[0]);
    cu_buf_add_byte(out, '\n');
    write_out(out);
}

static void keygen(struct cu_buf *out, struct cu_err *err)
{
    must(cu_age_identity_generate(&identities[0], err), err);
    write_identity(out);
}

static void unpem(const char *path, struct cu_buf *out, struct cu_err *err)
{
    must(cu_age_identity_from_pem(read_file(path), CU_SPAN_EMPTY, &identities[0], err), err);
    write_identity(out);
}

static void pem(struct cu_buf *out, struct cu_err *err)
{
    must(cu_age_identity_to_pem(&identities[0], CU_SPAN_EMPTY, out, err), err);
    write_out(out);
}

static void seal(char **to_text, struct cu_buf *out, struct cu_err *err)
{
    static struct cu_age_seal stream;
    struct cu_age_recipient to[CU_AGE_RECIPIENTS_MAX];

    must(cu_age_seal_start(to, read_recipients(to_text, to, err), &stream, out, err), err);
    for (size_t n; (n = fread(piece, 1, sizeof piece, stdin)) > 0; write_out(out))
        must(cu_age_seal_add(&stream, cu_span(piece, n), out, err), err);
    must(cu_age_seal_finish(&stream, out, err), err);
    write_out(out);
    cu_age_seal_free(&stream);
}

/* What was given out before a failure is written too: it is part of the answer. */
static void unseal(size_t size, struct cu_buf *out, struct cu_err *err)
{
    static struct cu_age_open stream;
    cu_status status = CU_OK;

    cu_age_open_start(identities, identities_n, &stream);
    for (size_t n; status == CU_OK && (n = fread(piece, 1, size, stdin)) > 0; write_out(out))
        status = cu_age_open_add(&stream, cu_span(piece, n), out, err);
    if (status == CU_OK) status = cu_age_open_finish(&stream, out, err);
    write_out(out);
    fflush(stdout);
    cu_age_open_free(&stream);
    must(status, err);
}

static void grant(char **to_text, struct cu_buf *out, struct cu_err *err)
{
    struct cu_age_recipient to[CU_AGE_RECIPIENTS_MAX];
    struct cu_age_key key;
    size_t n = fread(piece, 1, sizeof piece, stdin), end = cu_age_header_end(cu_span(piece, n));

    must(cu_age_header_open(cu_span(piece, end), identities, identities_n, &key, err), err);
    must(cu_age_header_put(&key, to, read_recipients(to_text, to, err), out, err), err);
    cu_wipe(&key, sizeof key);
    write_out(out);
    for (size_t at = end; n > 0; at = 0, n = fread(piece, 1, sizeof piece, stdin))
        if (fwrite(piece + at, 1, n - at, stdout) != n - at) perror("stdout"), exit(2);
}

int main(int argc, char **argv)
{
    struct cu_buf out = cu_buf_over(room, sizeof room);
    struct cu_err err = { 0 };
    const char *verb = argc > 1 ? argv[1] : "";

    if (strcmp(verb, "keygen") == 0) return keygen(&out, &err), 0;
    if (strcmp(verb, "seal") == 0 && argc > 2) return seal(argv + 2, &out, &err), 0;
    if (strcmp(verb, "unpem") == 0 && argc > 2) return unpem(argv[2], &out, &err), 0;
    if (argc < 3)
        return fprintf(stderr, "age_file keygen | unpem FILE | pem IDENTITIES | seal RECIPIENT… | open IDENTITIES [PIECE] | "
                               "grant IDENTITIES RECIPIENT…\n"),
               2;
    read_identities(argv[2], &err);
    const size_t size = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
    if (strcmp(verb, "pem") == 0) pem(&out, &err);
    else if (strcmp(verb, "grant") == 0 && argc > 3) grant(argv + 3, &out, &err);
    else unseal(size > 0 && size < PIECE ? size : PIECE, &out, &err);
    for (size_t i = 0; i < identities_n; i++) cu_age_identity_free(&identities[i]);
    return 0;
}
