/* (1) One thread: it starts the child, reads what it writes until the last holder of the pipe is gone, waits for it, and starts it again, each
 *     time a little later. The kernel kills the child when that thread is no more: nothing is left that holds its files and ports.
 * (2) A child that ends at once, CU_CHAIN_STARTS times in a row, or that said something which restarting does not mend, is not started
 *     again: the alarm says what to do.
 * (3) Killed while it made its files, it cannot open them again. As long as nothing was decided or signed here they hold nothing: they are set
 *     aside, once.
 * (4) After a failure of its consensus it goes on running, and takes no part any more: it is ended, for (2) to judge.
 */
#include "engine/cometbft/child.h"

#include "engine/cometbft/clock.h"
#include "engine/cometbft/cometbft.h"

#include "custody/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 4000u
#define SETTLED_MS 10000u /* a child that lived so long did not end at once */
#define FIRST_PAUSE_MS 100u
#define LAST_PAUSE_MS 5000u
#define UNREADABLE_STARTS 3u

struct cu_child {
    struct cu_child_config config;
    char program[4096], home[4096];
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    pid_t pid; /* 0: none runs */
    bool ending, ended;
    const char *beyond; /* of the run that ended */
    char last[LINE_MAX_BYTES + 1];
    char **environment;
};

#define DISAGREE                                                                                                          \
    "this node's ledger and the chain do not agree on what was recorded: one of both was damaged, or restored from a "    \
    "copy. Move node/ and chain/data aside, put node/cosigner back as it is now, and start the node: it reads the whole " \
    "chain anew"
static const struct {
    const char *said, *sentence;
} beyond[] = {
    { "prevoted for an invalid block", "this node took for wrong what more than two thirds of the organisations agreed on: its "
                                       "clock is most likely off. Set it right (NTP), then start the "
                                       "node again; nothing was lost" },
    { "AppHash", DISAGREE },
    { "app hash", DISAGREE },
    { "is higher than core", DISAGREE },
    { "no space left on device", "the disk is full: make room, then start the node again; nothing was lost" },
    { "address already in use",
      "another program listens where this node is to be reached by its peers: end it, or give this node another address" },
};

const char *cu_child_beyond_restart(struct cu_span line)
{
    const bool last_words = line.n > 0 && (memmem(line.p, line.n, "panic", 5) || memmem(line.p, line.n, "ERROR", 5) ||
                                           memmem(line.p, line.n, "failed", 6) ||
                                           memmem(line.p, line.n, "CONSENSUS FAILURE", 17) || memmem(line.p, line.n, "error", 5));

    for (size_t i = 0; last_words && i < sizeof beyond / sizeof *beyond; i++)
        if (memmem(line.p, line.n, beyond[i].said, strlen(beyond[i].said))) return beyond[i].sentence;
    return NULL;
}

/* This process's, and that a heap of a few MiB is not swept for each one of garbage: a tenth of its processor time under load. Whoever sets
 * it himself knows better. */
static char **make_environment(void)
{
    static char sweep[] = "GOGC=400";
    size_t n = 0;

    while (environ[n]) n++;
    char **ret = calloc(n + 2, sizeof *ret);
    if (ret) memcpy(ret, environ, n * sizeof *ret);
    if (ret && !getenv("GOGC")) ret[n] = sweep;
    return ret;
}

/* ---- one run ---- */

static _Noreturn void become(const struct cu_child *c, int out, pid_t parent)
{
    char program[sizeof c->program], start[] = "start", home[] = "--home=.";
    char *const argv[] = { program, start, home, NULL };

    memcpy(program, c->program, sizeof program);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || chdir(c->home) != 0) _exit(126);
    setpgid(0, 0); /* a terminal's Ctrl-C is for us, who end it in its turn */
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execvpe(c->program, argv, c->environment);
    _exit(127);
}

static pid_t spawn(const struct cu_child *c, int out)
{
    const pid_t parent = getpid(), pid = fork();

    if (pid == 0) become(c, out, parent);
    return pid;
}

static void hear(struct cu_child *c, char *line, size_t n)
{
    line[n] = 0;
    if (n == 0) return;
    const char *sentence = cu_child_beyond_restart(cu_span(line, n));
    pthread_mutex_lock(&c->lock);
    if (!c->beyond) memcpy(c->last, line, n + 1); /* what follows the decisive line is a stack trace */
    if (sentence && !c->beyond) c->beyond = sentence;
    if (memmem(line, n, "CONSENSUS FAILURE!!!", 20) && c->pid > 0) kill(c->pid, SIGKILL); /* (4) */
    pthread_mutex_unlock(&c->lock);
    c->config.log(c->config.arg, line);
}

static void hear_all(struct cu_child *c, int in)
{
    char line[LINE_MAX_BYTES + 1], piece[4096];
    size_t n = 0;
    ssize_t got;

    while ((got = read(in, piece, sizeof piece)) != 0) {
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return;
        for (ssize_t i = 0; i < got; i++) {
            if (piece[i] != '\n' && n < LINE_MAX_BYTES) line[n++] = piece[i];
            if (piece[i] == '\n') hear(c, line, n), n = 0;
        }
    }
    hear(c, line, n);
}

/* Runs it once; how long it lived. */
static uint64_t run_once(struct cu_child *c, int *ret_exit)
{
    const uint64_t began = cu_monotonic_ms();
    static const char *const sockets[] = { "rpc.sock", CU_COMET_SIGNER };
    char socket[sizeof c->home + 16];
    int fds[2], status = -1;

    for (unsigned i = 0; i < 2; i++) {
        snprintf(socket, sizeof socket, "%s/%s", c->home, sockets[i]);
        unlink(socket); /* it does not listen where one lies */
    }
    if (pipe2(fds, O_CLOEXEC) != 0) return 0;
    pthread_mutex_lock(&c->lock);
    c->beyond = NULL;
    c->pid = c->ending ? -1 : spawn(c, fds[1]);
    const pid_t pid = c->pid;
    if (pid < 0) c->pid = 0;
    pthread_mutex_unlock(&c->lock);
    close(fds[1]);
    if (pid > 0) hear_all(c, fds[0]);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
    close(fds[0]);
    pthread_mutex_lock(&c->lock);
    c->pid = 0;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
    *ret_exit = status;
    return cu_monotonic_ms() - began;
}

static void give_up(struct cu_child *c, int status)
{
    struct cu_err why = { 0 };

    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        (void)cu_fail(
            &why, CU_NOT_FOUND,
            "%s: there is no such program, so this organisation takes no part: install CometBFT, or name it with --cometbft",
            c->program);
    else if (c->beyond) (void)cu_fail(&why, CU_CORRUPT, "the consensus engine stopped: %s. It said: %s", c->beyond, c->last);
    else
        (void)cu_fail(&why, CU_IO,
                      "the consensus engine ended %d times in a row as soon as it was started, so this organisation takes no "
                      "part; its last words "
                      "were: %s",
                      CU_CHAIN_STARTS, c->last);
    c->config.alarm(c->config.arg, &why);
}

static bool pause_before(struct cu_child *c, unsigned quick)
{
    const uint64_t ms = (uint64_t)FIRST_PAUSE_MS << (quick < 6 ? quick : 6);
    const struct timespec until = cu_monotonic_in(ms < LAST_PAUSE_MS ? ms : LAST_PAUSE_MS);

    pthread_mutex_lock(&c->lock);
    while (!c->ending && pthread_cond_timedwait(&c->changed, &c->lock, &until) == 0) continue;
    const bool ending = c->ending;
    pthread_mutex_unlock(&c->lock);
    return !ending;
}

/* By (3). False: it was done before, or may not be. */
static bool set_aside(struct cu_child *c)
{
    char data[sizeof c->home + 8], aside[sizeof c->home + 24];

    if (c->config.begun(c->config.arg)) return false;
    snprintf(data, sizeof data, "%s/data", c->home);
    snprintf(aside, sizeof aside, "%s/data.unreadable", c->home);
    if (rename(data, aside) != 0 || mkdir(data, 0700) != 0) return false;
    c->config.log(c->config.arg,
                  "E it ends as soon as it is started, and nothing was decided or signed here yet: its files were set aside in "
                  "chain/data.unreadable, and it begins anew");
    return true;
}

static void *run_child(void *self)
{
    struct cu_child *c = self;
    unsigned quick = 0;
    int status = 0;

    do {
        const uint64_t lived = run_once(c, &status);
        quick = lived < SETTLED_MS ? quick + 1 : 1;
        if (quick == UNREADABLE_STARTS && set_aside(c)) quick = 1;
        pthread_mutex_lock(&c->lock);
        const bool over = !c->ending &&
                          (c->beyond || quick >= CU_CHAIN_STARTS || (WIFEXITED(status) && WEXITSTATUS(status) == 127)); /* (2) */
        pthread_mutex_unlock(&c->lock);
        if (over) {
            give_up(c, status);
            break;
        }
    } while (pause_before(c, quick));
    return NULL;
}

/* ---- the whole ---- */

static void let_go(struct cu_child *c)
{
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->changed);
    free(c->environment);
    free(c);
}

cu_status cu_child_start(const struct cu_child_config *config, struct cu_child **ret, struct cu_err *err)
{
    struct cu_child *c = calloc(1, sizeof *c);

    ENSURE(c, err, CU_NO_MEMORY, "no memory for the consensus engine");
    c->config = *config;
    snprintf(c->program, sizeof c->program, "%s", config->program);
    snprintf(c->home, sizeof c->home, "%s", config->home);
    pthread_mutex_init(&c->lock, NULL);
    cu_monotonic_cond(&c->changed);
    c->environment = make_environment();
    if (!c->environment || pthread_create(&c->thread, NULL, run_child, c) != 0) {
        let_go(c);
        return cu_fail(err, CU_NO_MEMORY, "no memory, or no thread, for the consensus engine");
    }
    *ret = c;
    return CU_OK;
}

void cu_child_again(struct cu_child *c)
{
    if (!c) return;
    pthread_mutex_lock(&c->lock);
    if (c->pid > 0) kill(c->pid, SIGKILL);
    pthread_mutex_unlock(&c->lock);
}

void cu_child_stop(struct cu_child *c)
{
    if (!c) return;
    const struct timespec until = cu_monotonic_in(CU_CHAIN_STOP_MS);
    pthread_mutex_lock(&c->lock);
    c->ending = true;
    pthread_cond_broadcast(&c->changed);
    if (c->pid > 0) kill(c->pid, SIGTERM);
    while (c->pid > 0)
        if (pthread_cond_timedwait(&c->changed, &c->lock, &until) != 0) {
            if (c->pid > 0) kill(c->pid, SIGKILL);
            break;
        }
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->thread, NULL);
    let_go(c);
}
