/* custody-verify: judge a receipt offline, with nothing but this program, the receipt, the trust file and the evidence.
 *
 * One static binary. It opens only the files that it is given. OpenSSL lies inside, is started without its configuration file, and
 * takes its memory from a fixed arena.
 */
#include "apps/common/verify_request.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: custody-verify [--trust FILE] [--manifest FILE] [--id ID] [--network WORDS] [--json] RECEIPT [PATH]\n\n"
    "Judges a custody receipt offline, and with PATH the file, the folder, or one item of the deposited folder.\n"
    "With --id and --network it says whether a paper that bears this id (8 digits or more) and these 24 words means this "
    "receipt.\n"
    "Without a trust file nobody vouches for the keys, and it never exits 0.\n\n"
    "Exit codes: 0 ok; 1 usage; 2 integrity failed; 3 copies missing; 4 signer failed or not proven; 5 time not proven though "
    "required.\n";

static cu_status parse(int argc, char **argv, struct verify_arguments *ret, struct cu_err *err)
{
    bool only_paths = false;

    for (int i = 1; i < argc; i++) {
        const char **value = NULL;
        if (!only_paths && strcmp(argv[i], "--") == 0) {
            only_paths = true;
            continue;
        }
        if (!only_paths && strcmp(argv[i], "--json") == 0) {
            ret->json = true;
            continue;
        }
        if (!only_paths && strcmp(argv[i], "--trust") == 0) value = &ret->trust;
        else if (!only_paths && strcmp(argv[i], "--manifest") == 0) value = &ret->manifest;
        else if (!only_paths && strcmp(argv[i], "--id") == 0) value = &ret->id;
        else if (!only_paths && strcmp(argv[i], "--network") == 0) value = &ret->network;
        if (value) {
            ENSURE(++i < argc, err, CU_USAGE, "%s needs a value", argv[i - 1]);
            *value = argv[i];
        } else if (!only_paths && strncmp(argv[i], "--", 2) == 0)
            return cu_fail(err, CU_USAGE, "%s: there is no such option\n%s", argv[i], usage);
        else if (!ret->receipt) ret->receipt = argv[i];
        else if (!ret->path) ret->path = argv[i];
        else return cu_fail(err, CU_USAGE, "\"%s\" is one argument too many\n%s", argv[i], usage);
    }
    ENSURE(ret->receipt, err, CU_USAGE, "%s", usage);
    return CU_OK;
}

static uint8_t arena[CU_ARENA_BYTES];

int main(int argc, char **argv)
{
    CU_CLEANUP(verify_request_free) struct verify_request v = { 0 };
    CU_BUF out = cu_buf_heap((size_t)4 << 20);
    struct verify_arguments args = { 0 };
    struct cu_err err = { 0 };
    int code = 1;
    cu_status status = parse(argc, argv, &args, &err);

    if (status == CU_OK) status = cu_crypto_arena(arena, sizeof arena, &err);
    if (status == CU_OK) status = cu_crypto_init(&err);
    if (status == CU_OK) status = verify_go(&v, &args, CU_SPAN_EMPTY, &out, &code, &err);
    if (status == CU_OK) status = cu_buf_ok(&out, &err);
    if ((fwrite(out.p, 1, out.n, stdout) != out.n || fflush(stdout) != 0) && status == CU_OK)
        status = cu_fail(&err, CU_IO, "the verdict could not be printed: it was not told, so it was not given");
    if (status == CU_OK) return code;
    fprintf(stderr, "custody-verify: %s\n", err.text[0] ? err.text : cu_status_text(status));
    return cu_status_exit(status) ? cu_status_exit(status) : 1;
}
