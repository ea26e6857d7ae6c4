/* A package in memory: on its way out, and as it lies. Its n-th call can fail. */
#ifndef TESTS_FAULT_SERVICE_PACKAGE_H
#define TESTS_FAULT_SERVICE_PACKAGE_H

#include "court/export.h"
#include "service_world.h"

struct sw_package {
    struct sw_package_file { char path[600]; size_t at, size; } *file;
    size_t n;
    struct cu_buf bytes;
    bool finished;
    unsigned long long calls, fails; /* fails: which; 0: none does */
    const char *parts;               /* that go along; NULL: one of the first exhibit */
};
struct cu_package_out sw_package_out(struct sw_package *p);
struct cu_package sw_package_in(struct sw_package *p);
void sw_package_free(struct sw_package *p);

/** Export a case or exhibit of the open ledger into `p`, a part of its first exhibit with it; what came of it must verify, and the disclosure
 *  is a promise from then on. */
cu_status sw_export(struct service_world *w, const char *name, struct sw_package *p, struct cu_err *err);

/** Does it verify under the open ledger's trust? CORRUPT: it does not. */
cu_status sw_package_judge(struct service_world *w, struct sw_package *p, struct cu_err *err);

#endif
