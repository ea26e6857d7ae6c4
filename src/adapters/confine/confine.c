/* Landlock for files, seccomp for calls. Landlock's own header may be older than the kernel that runs: what it lacks stands here. */
#include "adapters/confine/confine.h"

#include "adapters/posix/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Kernel headers 6.1, 6.2 and 6.10 have REFER, TRUNCATE and IOCTL_DEV. */
enum { ACCESS_REFER = 1 << 13, ACCESS_TRUNCATE = 1 << 14, ACCESS_IOCTL_DEV = 1 << 15 };
enum {
    READ = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
    RUN = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE,
    MAKE = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
           LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | ACCESS_REFER |
           ACCESS_TRUNCATE,
    OTHER = LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
            LANDLOCK_ACCESS_FS_MAKE_SYM | ACCESS_IOCTL_DEV, /* nobody's */
    FOR_FILES = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE | ACCESS_TRUNCATE |
                ACCESS_IOCTL_DEV,
};

/* What any program of this machine reads: libraries, settings of the system, certificates, itself. */
static const char *const everybodys[] = {
    "/usr", "/lib", "/lib64", "/etc", "/run/systemd/resolve", "/proc/self", "/sys/devices/system/cpu", "/dev/urandom", NULL
};
static const char *const loaders[] = { "/usr", "/lib", "/lib64", "/bin",
                                       NULL };              /* what a program is begun by: its loader, or its interpreter */
static const char *const nobodys[] = { "/dev/null", NULL }; /* written by anybody */

static long version(void) { return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION); }

static uint64_t known_to(long abi)
{
    uint64_t all = (uint64_t)READ | RUN | MAKE | OTHER;

    if (abi < 2) all &= ~(uint64_t)ACCESS_REFER;
    if (abi < 3) all &= ~(uint64_t)ACCESS_TRUNCATE;
    if (abi < 5) all &= ~(uint64_t)ACCESS_IOCTL_DEV;
    return all;
}

static cu_status allow(int rules, const char *path, uint64_t access, struct cu_err *err)
{
    const int fd = open(path, O_PATH | O_CLOEXEC);
    struct landlock_path_beneath_attr rule = { .allowed_access = access, .parent_fd = fd };

    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? CU_OK : cu_posix_fail(err, errno, "look at", path);
    long added = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    if (added != 0 && errno == EINVAL) { /* a file by itself: what concerns folders does not fit it */
        rule.allowed_access &= FOR_FILES;
        added = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    }
    const int number = errno;
    close(fd);
    return added == 0 ? CU_OK : cu_posix_fail(err, number, "confine this process to", path);
}

static cu_status allow_all(int rules, const char *const *paths, uint64_t access, struct cu_err *err)
{
    for (; *paths; paths++) TRY(allow(rules, *paths, access, err));
    return CU_OK;
}

static cu_status add_rules(int rules, const struct cu_confinement *c, uint64_t known, struct cu_err *err)
{
    TRY(allow_all(rules, everybodys, READ & known, err));
    TRY(allow_all(rules, nobodys, (READ | MAKE) & known, err));
    TRY(allow_all(rules, c->read, READ & known, err));
    TRY(allow_all(rules, c->write, (READ | MAKE) & known, err));
    if (!c->run) return CU_OK;
    TRY(allow(rules, c->run, RUN & known, err));
    return allow_all(rules, loaders, RUN & known, err);
}

static cu_status lock_files(const struct cu_confinement *c, long abi, struct cu_err *err)
{
    const struct landlock_ruleset_attr attr = { .handled_access_fs = known_to(abi) };
    const int rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);

    if (rules < 0) return cu_posix_fail(err, errno, "confine this process by", "Landlock");
    cu_status locked = add_rules(rules, c, attr.handled_access_fs, err);
    if (locked == CU_OK && syscall(SYS_landlock_restrict_self, rules, 0) != 0)
        locked = cu_posix_fail(err, errno, "confine this process by", "Landlock");
    close(rules);
    return locked;
}

/* Calls that a server of ours never makes; whoever tries is told EPERM. Starting a program is one, unless one may be started. */
static const int never[] = {
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(move_mount),
    SCMP_SYS(open_tree),
    SCMP_SYS(fsopen),
    SCMP_SYS(fsmount),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load),
    SCMP_SYS(reboot),
    SCMP_SYS(swapon),
    SCMP_SYS(swapoff),
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(settimeofday),
    SCMP_SYS(clock_settime),
    SCMP_SYS(adjtimex),
    SCMP_SYS(clock_adjtime),
    SCMP_SYS(setuid),
    SCMP_SYS(setgid),
    SCMP_SYS(setreuid),
    SCMP_SYS(setregid),
    SCMP_SYS(setresuid),
    SCMP_SYS(setresgid),
    SCMP_SYS(setgroups),
    SCMP_SYS(execve),
    SCMP_SYS(execveat), /* the last two */
};

static cu_status lock_calls(const struct cu_confinement *c, struct cu_err *err)
{
    const size_t n = sizeof never / sizeof *never - (c->run ? 2 : 0);
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int made = filter ? 0 : -ENOMEM;

    for (size_t i = 0; made == 0 && i < n; i++) made = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), never[i], 0);
    if (made == 0) made = seccomp_load(filter);
    if (filter) seccomp_release(filter);
    return made == 0 ? CU_OK : cu_posix_fail(err, -made, "confine this process by", "seccomp");
}

cu_status cu_confine(const struct cu_confinement *c, char ret_how[120], struct cu_err *err)
{
    const long abi = version();
    struct cu_err why = { 0 };

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return cu_posix_fail(err, errno, "give up", "further privileges");
    if (abi > 0) TRY(lock_files(c, abi, err));
    const cu_status calls = lock_calls(c, &why);
    ENSURE(abi > 0 || calls == CU_OK, err, CU_NOT_ALLOWED, "this system confines no process (no Landlock; %s)", why.text);
    if (abi > 0 && calls == CU_OK) snprintf(ret_how, 120, "files (Landlock %ld), calls (seccomp)", abi);
    else if (abi > 0) snprintf(ret_how, 120, "files (Landlock %ld); calls are not: no seccomp here", abi);
    else snprintf(ret_how, 120, "calls (seccomp); files are not: this kernel has no Landlock");
    return CU_OK;
}
