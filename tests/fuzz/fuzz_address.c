/* A bucket's address that is read holds nothing that could be signed in one spelling and sent in another, and no user or password. */
#include "adapters/s3/s3.h"

static void plain(const char *text, const char *also)
{
    for (; *text; text++)
        CU_ASSERT((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') || (*text >= '0' && *text <= '9') ||
                  strchr(also, *text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cu_s3_address a;

    if (cu_s3_address_read(cu_span(data, size), &a, NULL) != CU_OK) return 0;
    plain(a.bucket, ".-");
    plain(a.prefix, "._-/");
    plain(a.region, "-");
    plain(a.endpoint, ":/.-[]");
    CU_ASSERT(!strstr(a.prefix, "//") && !strstr(a.prefix, "/.") && a.prefix[0] != '/' && a.prefix[0] != '.');
    CU_ASSERT(!a.prefix[0] || a.prefix[strlen(a.prefix) - 1] == '/');
    CU_ASSERT(a.timeout_s > 0 && a.tries > 0 && a.bucket[0] && strncmp(a.endpoint, "http", 4) == 0);
    return 0;
}
