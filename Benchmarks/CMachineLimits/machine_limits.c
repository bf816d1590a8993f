// machine_limits.c - one loop each, compiled once for every register width, chosen when it runs.
#include "machine_limits.h"

#include <stdint.h>

enum { CACHE_LINE = 64 };

#if defined(__x86_64__)

#include <emmintrin.h>

typedef float vector512 __attribute__((vector_size(64), may_alias));
typedef float vector256 __attribute__((vector_size(32), may_alias));

#pragma clang attribute push(__attribute__((target("avx512f"))), apply_to = function)
#define SDB_VECTOR vector512
#define SDB_NAME(loop) loop##_512
#define SDB_MULTIPLY_ADD(a, b, c) __builtin_elementwise_fma(a, b, c)
#include "internal/loops.h"
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define SDB_VECTOR vector256
#define SDB_NAME(loop) loop##_256
#define SDB_MULTIPLY_ADD(a, b, c) __builtin_elementwise_fma(a, b, c)
#include "internal/loops.h"
#pragma clang attribute pop

#endif

typedef float vector128 __attribute__((vector_size(16), may_alias));
#define SDB_VECTOR vector128
#define SDB_NAME(loop) loop##_128
#if defined(__x86_64__)
#define SDB_MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))  // SSE2 has no fused one.
#else
#define SDB_MULTIPLY_ADD(a, b, c) __builtin_elementwise_fma(a, b, c)
#endif
#include "internal/loops.h"

#if defined(__x86_64__)
#define SDB_WIDEST(loop, ...)                                           \
    (__builtin_cpu_supports("avx512f")                                  \
         ? loop##_512(__VA_ARGS__)                                      \
         : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") \
               ? loop##_256(__VA_ARGS__)                                \
               : loop##_128(__VA_ARGS__))
#else
#define SDB_WIDEST(loop, ...) loop##_128(__VA_ARGS__)
#endif

double sdb_fma(size_t rounds) { return SDB_WIDEST(fma, rounds); }

float sdb_read(const void *from, size_t bytes) { return SDB_WIDEST(read, from, bytes); }

float sdb_read_streams(const void *from, size_t bytes) {
    return SDB_WIDEST(read_streams, from, bytes);
}

void sdb_write_past_caches(void *to, size_t bytes) {
    SDB_WIDEST(write, to, bytes);
#if defined(__x86_64__)
    _mm_sfence();
#endif
}

void sdb_flush(const void *begin, size_t bytes) {
    uintptr_t first = (uintptr_t)begin / CACHE_LINE * CACHE_LINE;
    for (uintptr_t line = first; line < (uintptr_t)begin + bytes; line += CACHE_LINE) {
#if defined(__x86_64__)
        _mm_clflush((const void *)line);
#elif defined(__aarch64__)
        __asm__ volatile("dc civac, %0" : : "r"(line) : "memory");
#endif
    }
#if defined(__x86_64__)
    _mm_mfence();
#elif defined(__aarch64__)
    __asm__ volatile("dsb ish" : : : "memory");
#endif
}
