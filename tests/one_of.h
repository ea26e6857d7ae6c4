/* Sanitized builds are several times as slow and look for other faults. The release build tries every case; they take one of so many. */
#ifndef CU_TESTS_ONE_OF_H
#define CU_TESTS_ONE_OF_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#define ONE_OF(n) (SANITIZED ? (n) : 1)

#endif
