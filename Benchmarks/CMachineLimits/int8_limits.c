// int8_limits.c - products of bytes added up in 32 bits, as fast as one instruction set does them.
#include "machine_limits.h"

#include <stdint.h>

// Ten sums hide the latency of the additions and fit in 16 registers.
enum { SUMS = 10 };

#if defined(__x86_64__)

#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vnni"))), \
                             apply_to = function)
static double vnni(size_t rounds) {
    __m512i sums[SUMS], a = _mm512_set1_epi8(3), b = _mm512_set1_epi8(-5);
    for (int i = 0; i < SUMS; i++) sums[i] = _mm512_set1_epi32(i);
    for (size_t round = 0; round < rounds; round++) {
#pragma clang loop unroll(full)
        for (int i = 0; i < SUMS; i++) {
            sums[i] = _mm512_dpbusd_epi32(sums[i], a, b);
            // Equal sums are not made one: the compiler shall not see what is added.
            __asm__("" : "+v"(sums[i]));
        }
    }
    for (int i = 1; i < SUMS; i++) sums[0] = _mm512_add_epi32(sums[0], sums[i]);
    volatile int kept = _mm512_reduce_add_epi32(sums[0]);
    (void)kept;
    return 2.0 * SUMS * 64 * (double)rounds;
}
#pragma clang attribute pop

// Without VNNI three instructions are the fewest: products by pairs in 16 bits (which saturate when
// both bytes are large), pairs of those in 32 bits, an addition.
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
static double maddubs(size_t rounds) {
    __m256i sums[SUMS], a = _mm256_set1_epi8(3), b = _mm256_set1_epi8(-5);
    const __m256i ones = _mm256_set1_epi16(1);
    for (int i = 0; i < SUMS; i++) sums[i] = _mm256_set1_epi32(i);
    for (size_t round = 0; round < rounds; round++) {
#pragma clang loop unroll(full)
        for (int i = 0; i < SUMS; i++) {
            __asm__("" : "+x"(a));
            __m256i pairs = _mm256_maddubs_epi16(a, b);
            __asm__("" : "+x"(pairs));
            sums[i] = _mm256_add_epi32(sums[i], _mm256_madd_epi16(pairs, ones));
        }
    }
    for (int i = 1; i < SUMS; i++) sums[0] = _mm256_add_epi32(sums[0], sums[i]);
    volatile int kept = _mm256_extract_epi32(sums[0], 0);
    (void)kept;
    return 2.0 * SUMS * 32 * (double)rounds;
}
#pragma clang attribute pop

int sdb_int8_runs(sdb_int8_kind kind) {
    switch (kind) {
        case SDB_INT8_AVX512:
            return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vnni");
        case SDB_INT8_AVX2: return __builtin_cpu_supports("avx2") != 0;
        default: return 0;
    }
}

double sdb_int8(sdb_int8_kind kind, size_t rounds) {
    return kind == SDB_INT8_AVX512 ? vnni(rounds) : maddubs(rounds);
}

#elif defined(__aarch64__)

#include <arm_neon.h>

int sdb_int8_runs(sdb_int8_kind kind) { return kind == SDB_INT8_NEON; }

double sdb_int8(sdb_int8_kind kind, size_t rounds) {
    (void)kind;
    int32x4_t sums[SUMS];
    int8x8_t a = vdup_n_s8(3), b = vdup_n_s8(-5);
    for (int i = 0; i < SUMS; i++) sums[i] = vdupq_n_s32(i);
    for (size_t round = 0; round < rounds; round++) {
#pragma clang loop unroll(full)
        for (int i = 0; i < SUMS; i++) {
            __asm__("" : "+w"(a));
            sums[i] = vpadalq_s16(sums[i], vmull_s8(a, b));
        }
    }
    for (int i = 1; i < SUMS; i++) sums[0] = vaddq_s32(sums[0], sums[i]);
    volatile int kept = vaddvq_s32(sums[0]);
    (void)kept;
    return 2.0 * SUMS * 8 * (double)rounds;
}

#else

int sdb_int8_runs(sdb_int8_kind kind) {
    (void)kind;
    return 0;
}

double sdb_int8(sdb_int8_kind kind, size_t rounds) {
    (void)kind;
    (void)rounds;
    return 0;
}

#endif
