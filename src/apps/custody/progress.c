/* Progress: one line that is drawn over on a terminal, a line every ten seconds elsewhere, JSON events with --json. */
#include "apps/custody/app.h"

#include <signal.h>
#include <unistd.h>

static volatile sig_atomic_t asked_to_stop;

static void on_signal(int number)
{
    (void)number;
    if (asked_to_stop) _exit(130); /* asked twice */
    asked_to_stop = 1;
}

void catch_interrupts(void)
{
    struct sigaction sa = { .sa_handler = on_signal };

    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

bool interrupted(void) { return asked_to_stop; }

static double seconds_since(const struct timespec *then)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - then->tv_sec) + (double)(now.tv_nsec - then->tv_nsec) / 1e9;
}

static void draw_json(const struct progress_view *v, uint64_t bytes, uint64_t total, uint64_t files, uint64_t files_total,
                      double rate)
{
    CU_BUF line = cu_buf_heap(1024);
    struct cu_json j = cu_json_on(&line);

    cu_json_open(&j, NULL, '{');
    cu_json_str(&j, "phase", v->phase);
    cu_json_uint(&j, "bytes", bytes);
    cu_json_uint(&j, "bytes_total", total);
    cu_json_uint(&j, "files", files);
    cu_json_uint(&j, "files_total", files_total);
    cu_json_uint(&j, "bytes_per_second", (uint64_t)rate);
    cu_json_close(&j, '}');
    fprintf(stderr, "%.*s\n", (int)line.n, (const char *)line.p);
}

static void draw_words(const struct progress_view *v, uint64_t bytes, uint64_t total, uint64_t files, uint64_t files_total,
                       double rate)
{
    CU_BUF line = cu_buf_heap(1024);

    cu_buf_addf(&line, "%-14s", v->phase);
    if (bytes) cu_buf_addf(&line, "%9.1f MB", (double)bytes / 1e6);
    if (total) cu_buf_addf(&line, " of %.1f MB", (double)total / 1e6);
    if (files) cu_buf_addf(&line, ", %llu", (unsigned long long)files);
    if (files && files_total) cu_buf_addf(&line, " of %llu", (unsigned long long)files_total);
    if (files) cu_buf_add_str(&line, " files");
    if (bytes && rate > 0) cu_buf_addf(&line, ", %.0f MB/s", rate / 1e6);
    if (total > bytes && rate > 0) cu_buf_addf(&line, ", %.0f s left", (double)(total - bytes) / rate);
    fprintf(stderr, isatty(STDERR_FILENO) ? "\r\033[K%.*s" : "%.*s\n", (int)line.n, (const char *)line.p);
    (void)fflush(stderr);
}

static void at(void *arg, const char *phase, uint64_t bytes, uint64_t total, uint64_t files, uint64_t files_total)
{
    struct session *s = arg;
    struct progress_view *v = &s->view;
    const double pause = isatty(STDERR_FILENO) && !s->run->json ? 0.2 : 10;

    if (s->run->quiet) return;
    if (strcmp(v->phase, phase) != 0) {
        snprintf(v->phase, sizeof v->phase, "%s", phase);
        clock_gettime(CLOCK_MONOTONIC, &v->began);
        v->last = v->began;
        if (s->run->json) draw_json(v, bytes, total, files, files_total, 0);
        return;
    }
    if (seconds_since(&v->last) < pause) return;
    clock_gettime(CLOCK_MONOTONIC, &v->last);
    const double rate = (double)bytes / seconds_since(&v->began);
    v->drawn = true;
    if (s->run->json) draw_json(v, bytes, total, files, files_total, rate);
    else draw_words(v, bytes, total, files, files_total, rate);
}

static bool stop(void *arg)
{
    (void)arg;
    return interrupted();
}

struct cu_progress progress_to(struct session *s) { return (struct cu_progress){ s, at, stop }; }

void progress_end(struct session *s)
{
    if (s->view.drawn && !s->run->json && isatty(STDERR_FILENO)) fprintf(stderr, "\r\033[K");
    s->view.drawn = false;
}
