/* A log of SIZE small entries in DIR, as a product writes one: tiles, entry bundles, signed checkpoint, and the verifier key in
 * DIR.vkey. For checkers that are not ours.
 *
 *     make_log SIZE DIR [ORIGIN]
 */
#include "custody/note.h"
#include "custody/log_tail.h"

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

struct making {
    const char *dir;
    struct cu_log_tail *log;
};

static cu_status put_tile(void *arg, struct cu_tile tile, struct cu_err *err)
{
    const struct making *m = arg;
    CU_BUF bytes = cu_buf_heap(1 << 23);
    char name[CU_TILE_PATH_MAX + 1] = "/";

    TRY(cu_log_tail_read(m->log, tile, &bytes, err));
    cu_tile_path(tile, name + 1);
    write_file(m->dir, name, cu_buf_span(&bytes));
    return CU_OK;
}

static struct cu_log_tail *fill(const char *dir, uint64_t size)
{
    struct cu_err err = { 0 };
    struct making m = { .dir = dir };
    char(*text)[64] = malloc(size * sizeof *text + 1);

    if (!text) perror("make_log"), exit(1);
    MUST(cu_log_tail_new(&m.log, &err));
    MUST(cu_log_tail_reserve(m.log, size, &err));
    for (uint64_t i = 0; i < size; i++) {
        const int n = snprintf(text[i], sizeof text[i], "entry %llu of %llu", (unsigned long long)i, (unsigned long long)size);
        const struct cu_tail_entry entry = { .entry = cu_span(text[i], (size_t)n) };
        const cu_hash leaf = cu_leaf_hash(entry.entry);
        cu_log_tail_add(m.log, &entry, &leaf);
    }
    MUST(cu_tiles_between((cu_size){ 0 }, (cu_size){ size }, put_tile, &m, &err));
    free(text);
    return m.log;
}

static void sign(const char *dir, const char *origin, struct cu_log_tail *log)
{
    struct cu_err err = { 0 };
    struct cu_private_key key;
    struct cu_vkey vkey;
    CU_BUF text = cu_buf_heap(4096), note = cu_buf_heap(4096), name = cu_buf_heap(4096);
    struct cu_checkpoint head = { cu_span_str(origin), cu_log_tail_size(log), cu_log_tail_root(log, cu_log_tail_size(log)) };

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
    if (argc < 3) return fprintf(stderr, "make_log SIZE DIR [ORIGIN]\n"), 1;
    struct cu_log_tail *log = fill(argv[2], strtoull(argv[1], NULL, 10));
    sign(argv[2], argc > 3 ? argv[3] : "log.example/conformance", log);
    cu_log_tail_free(log);
    return 0;
}
