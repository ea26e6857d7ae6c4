/* For analysers only, included before everything else: they do not look into `cu_fail`, and would follow a failure that returns OK. */
#include "custody/status.h"

#ifndef DEFINES_CU_FAIL
#define cu_fail(err, status, ...) ((void)cu_fail((err), (status), __VA_ARGS__), (status))
#define cu_fail_while(err, status, ...) ((void)cu_fail_while((err), (status), __VA_ARGS__), (status))
#endif
