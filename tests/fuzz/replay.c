/* Runs a fuzz target without a fuzzer: over every file of its corpus, over each prefix of it, and over each single-bit flip, as
 * far as a fixed amount of work goes. So every build, with every compiler, sees what the fuzzer once found. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILE_MAX = 1 << 22, WORK_MAX = 1 << 26 }; /* bytes handed to the target for one file, mutations included */

/* An exact copy on the heap, so that a sanitizer sees a read one byte past its end. */
static void run(const uint8_t *bytes, size_t n)
{
    uint8_t *copy = malloc(n + (n == 0));

    if (!copy) abort();
    memcpy(copy, bytes, n);
    LLVMFuzzerTestOneInput(copy, n);
    free(copy);
}

static void run_neighbours(uint8_t *bytes, size_t n)
{
    size_t step = 1 + (size_t)((uint64_t)n * n * 9 / WORK_MAX);

    for (size_t cut = 0; cut < n; cut += step)
        run(bytes, cut);
    for (size_t bit = 0; bit < 8 * n; bit += step) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        run(bytes, n);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static int replay(const char *path)
{
    static uint8_t bytes[FILE_MAX];
    FILE *in = fopen(path, "rb");

    if (!in) return perror(path), 1;
    size_t n = fread(bytes, 1, sizeof bytes, in);
    fclose(in);
    fflush(stdout);
    run(bytes, n);
    run_neighbours(bytes, n);
    printf("ok - %s\n", path);
    return 0;
}

int main(int argc, char **argv)
{
    int files = 0, bad = 0;

    for (int i = 1; i < argc; i++) {
        DIR *dir = opendir(argv[i]);
        if (!dir) continue;
        for (struct dirent *entry; (entry = readdir(dir));) {
            char path[4096];
            if (entry->d_name[0] == '.') continue;
            snprintf(path, sizeof path, "%s/%s", argv[i], entry->d_name);
            bad += replay(path);
            files++;
        }
        closedir(dir);
    }
    if (files == 0) return printf("ok - no corpus # SKIP %s is empty\n", argc > 1 ? argv[1] : "nothing"), 77;
    return bad != 0;
}
