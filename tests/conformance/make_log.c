/* A log of SIZE small entries in DIR, as a product writes one: tiles, entry bundles, signed checkpoint, and the verifier key in
 * DIR.vkey. For checkers that are not ours.
 *
 *     make_log SIZE DIR [ORIGIN]
 */
#include "custody/note.h"
#include "custody/tile_stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define MUST(call)                                                                 \
    do {                                                                           \
        if ((call) != CU_OK) fprintf(stderr, "make_log: %s\n", err.text), exit(1); \
    } while (0)

static void make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(path, 0777);
        *slash = '/';
    }
}

static void write_file(const char *dir, const char *name, struct cu_span bytes)
{
    char path[4096];

    snprintf(path, sizeof path, "%s%s", dir, name);
    make_folders(path);
    FILE *out = fopen(path, "wb");
    if (!out || fwrite(bytes.p, 1, bytes.n, out) != bytes.n || fclose(out) != 0) perror(path), exit(1);
}

static cu_status put_tile(void *self, struct cu_tile tile, struct cu_span bytes, struct cu_err *err)
{
    char name[CU_TILE_PATH_MAX + 1] = "/";

    (void)err;
    cu_tile_path(tile, name + 1);
    write_file(self, name, bytes);
    return CU_OK;
}

static struct cu_tile_stream *fill(char *dir, uint64_t size, struct cu_err *ret_err)
{
    struct cu_err err = { 0 };
    struct cu_tile_stream *log = NULL;

    MUST(cu_tile_stream_new((struct cu_tile_sink){ dir, put_tile }, &log, &err));
    for (uint64_t i = 0; i < size; i++) {
        char entry[64];
        int n = snprintf(entry, sizeof entry, "entry %llu of %llu", (unsigned long long)i, (unsigned long long)size);
        MUST(cu_tile_stream_add(log, cu_span(entry, (size_t)n), &err));
    }
    MUST(cu_tile_stream_flush(log, &err));
    *ret_err = err;
    return log;
}

static void sign(const char *dir, const char *origin, struct cu_tile_stream *log)
{
    struct cu_err err = { 0 };
    struct cu_private_key key;
    struct cu_vkey vkey;
    CU_BUF text = cu_buf_heap(4096), note = cu_buf_heap(4096), name = cu_buf_heap(4096);
    struct cu_checkpoint head = { cu_span_str(origin), cu_tile_stream_size(log), cu_tile_stream_root(log) };

    MUST(cu_crypto_init(&err));
    MUST(cu_private_generate(CU_ALG_EDDSA, &key, &err));
    cu_checkpoint_put(&head, &text);
    MUST(cu_note_sign(&note, cu_buf_span(&text), head.origin, &key, &err));
    MUST(cu_vkey_make(head.origin, CU_NOTE_ED25519, &key.pub, &vkey, &err));
    MUST(cu_vkey_write(&vkey, &name, &err));
    cu_buf_add_byte(&name, '\n');
    write_file(dir, "/checkpoint", cu_buf_span(&note));
    write_file(dir, ".vkey", cu_buf_span(&name));
    cu_private_free(&key);
}

int main(int argc, char **argv)
{
    struct cu_err err;

    if (argc < 3) return fprintf(stderr, "make_log SIZE DIR [ORIGIN]\n"), 1;
    struct cu_tile_stream *log = fill(argv[2], strtoull(argv[1], NULL, 10), &err);
    sign(argv[2], argc > 3 ? argv[3] : "log.example/conformance", log);
    cu_tile_stream_free(log);
    return 0;
}
