/* A package of files, on its way out or as it lies: a folder, or an archive that holds one. Paths are relative, '/' between components.
 */
#ifndef CU_PORTS_PACKAGE_H
#define CU_PORTS_PACKAGE_H

#include "custody/types.h"

/** On its way out: written beside its name and renamed at the end. What was not finished has no name that anybody looks for, and a name
 *  that is taken is refused. Files come one after another: begin, add until `size` bytes are there, end. `folder`: one that stays empty. */
struct cu_package_out { void *self; const struct cu_package_out_ops *ops; };
struct cu_package_out_ops {
    cu_status (*folder)(void *self, const char *path, struct cu_err *err);
    cu_status (*begin)(void *self, const char *path, uint64_t size, struct cu_err *err);
    cu_status (*add)(void *self, struct cu_span bytes, struct cu_err *err);
    cu_status (*end)(void *self, struct cu_err *err);
    cu_status (*finish)(void *self, struct cu_err *err); /* durable, then visible */
    void (*close)(void *self);                           /* what was not finished is removed */
};

/** One file as it lies. */
struct cu_package_file {
    struct cu_span path;
    uint64_t size; /* as the package says; the bytes decide */
    bool other;    /* it is no file but a link, a device or the like */
    void *self;
    cu_status (*read)(void *self, void *ret, size_t n, size_t *ret_n, struct cu_err *err); /* fewer than n only at the end */
};
/** Each file once, in the package's own order. MALFORMED: a package that is not to be trusted at all (hostile names, sizes that lie). */
struct cu_package {
    void *self;
    cu_status (*each)(void *self, cu_status (*file)(void *arg, struct cu_package_file *f, struct cu_err *err), void *arg, struct cu_err *err);
    void (*close)(void *self);
};

#endif
