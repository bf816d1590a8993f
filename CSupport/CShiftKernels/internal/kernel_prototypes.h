// kernel_prototypes.h - what every kernel file includes: prototypes of all variants.
#ifndef SDK_KERNEL_PROTOTYPES_H
#define SDK_KERNEL_PROTOTYPES_H

#include <string.h>

#include "shift_kernels.h"

#if defined(__x86_64__)
#define SDK_ARCH_X86_64 1
#elif defined(__aarch64__)
#define SDK_ARCH_ARM64 1
#endif

#define SDK_KERNEL(name, parameters)  \
    void sdk_##name##__scalar parameters; \
    void sdk_##name##__avx2 parameters;   \
    void sdk_##name##__avx512 parameters; \
    void sdk_##name##__neon parameters;
#include "kernel_list.inc"
#undef SDK_KERNEL

// A region of functions compiled for an instruction set that the rest of the file is not.
#define SDK_PRAGMA(text) _Pragma(#text)
#define SDK_TARGET_BEGIN(features) \
    SDK_PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
#define SDK_TARGET_END SDK_PRAGMA(clang attribute pop)
#define SDK_AVX512_FEATURES "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx512vbmi"

/// Rows of the chunk that starts at `row`.
static inline size_t sdk_chunk_rows(size_t rows, size_t row) {
    size_t left = rows - row;
    return left < SDK_CHUNK_ROWS ? left : SDK_CHUNK_ROWS;
}

/// 16^(n-1): the combinations of all symbols but the last.
static inline size_t sdk_outer_combinations(size_t n) {
    return (size_t)1 << (4 * (n - 1));
}

#endif  // SDK_KERNEL_PROTOTYPES_H
