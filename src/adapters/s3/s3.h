/* A bucket that speaks S3: libcurl is at home here, and signs. What is relied on is no more than any such store has: conditional PUT,
 * multipart, ranges, versions; Object Lock where it is. */
#ifndef CU_ADAPTERS_S3_H
#define CU_ADAPTERS_S3_H

#include "ports/bucket.h"

/** s3://BUCKET[/PREFIX][?name=value&…]
 *
 *  endpoint=URL (by default Amazon's of the region), region=NAME (us-east-1), retain=DAYS (lock each version for so long, in compliance
 *  mode), credentials=FILE (as ~/.aws/credentials), timeout=SECONDS (without a byte: 30), tries=N (of each question: 8). Values may be
 *  percent-encoded. */
struct cu_s3_address {
    char bucket[64], prefix[256]; /* prefix: "" or with a '/' at its end */
    char endpoint[256], region[64], credentials[1024];
    uint64_t retain_days, timeout_s, tries;
};
CU_MUST_USE cu_status cu_s3_address_read(struct cu_span text, struct cu_s3_address *ret, struct cu_err *err); /* USAGE */

extern const struct cu_bucket_kind cu_s3_kind; /* what custody-s3.so is loaded for */

#endif
