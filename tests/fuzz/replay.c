/* Runs a fuzz target without a fuzzer: over every file of its corpus, and over prefixes and single-bit flips of each, all of them
 * where the target is quick, evenly spread ones where it is not. So every build, with every compiler, sees what the fuzzer once found. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILE_MAX = 1 << 22, NAMES_MAX = 4096 };
#define BUDGET_S 6.0 /* of processor time for the neighbours of all files together */

static char *names[NAMES_MAX];
static size_t names_n;

static double cpu_s(void) { return (double)clock() / CLOCKS_PER_SEC; }

/* An exact copy on the heap, so that a sanitizer sees a read one byte past its end. */
static void run(const uint8_t *bytes, size_t n)
{
    uint8_t *copy = malloc(n + (n == 0));

    if (!copy) abort();
    memcpy(copy, bytes, n);
    LLVMFuzzerTestOneInput(copy, n);
    free(copy);
}

/* 9n neighbours: n prefixes, 8n flips. Neighbours are mostly refused early, so the whole file's cost is a safe guess. */
static void run_neighbours(uint8_t *bytes, size_t n, double cost)
{
    double affordable = BUDGET_S / (double)names_n / (cost + 1e-7);
    size_t step = 1 + (size_t)(9.0 * (double)n / affordable);

    for (size_t cut = 0; cut < n; cut += step) run(bytes, cut);
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
    run(bytes, n); /* the first run also warms what is made once */
    double began = cpu_s();
    run(bytes, n);
    run_neighbours(bytes, n, cpu_s() - began);
    printf("ok - %s\n", path);
    fflush(stdout);
    return 0;
}

static void list(const char *folder)
{
    DIR *dir = opendir(folder);

    if (!dir) return;
    for (struct dirent *entry; (entry = readdir(dir)) && names_n < NAMES_MAX;) {
        char path[4096];
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        names[names_n++] = strdup(path);
    }
    closedir(dir);
}

int main(int argc, char **argv)
{
    int bad = 0;

    for (int i = 1; i < argc; i++) list(argv[i]);
    if (names_n == 0) return printf("ok - no corpus # SKIP %s is empty\n", argc > 1 ? argv[1] : "nothing"), 77;
    for (size_t i = 0; i < names_n; i++) {
        bad += replay(names[i]);
        free(names[i]);
    }
    return bad != 0;
}
