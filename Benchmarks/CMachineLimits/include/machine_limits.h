// machine_limits.h - loops that reach the limits of the machine, for sd-bench to compare with.
//
// Each picks the widest instruction set of the processor that runs it, but for sdb_int8, which is
// told. Nothing here measures time.
#ifndef SDB_MACHINE_LIMITS_H
#define SDB_MACHINE_LIMITS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Runs `rounds` rounds of independent f32 fused multiply-adds and returns the floating-point
/// operations that they were, two each.
double sdb_fma(size_t rounds);

/// How products of bytes are added up in 32 bits.
typedef enum {
    SDB_INT8_AVX512 = 0,  ///< vpdpbusd, 512 bits
    SDB_INT8_AVX2 = 1,    ///< vpmaddubsw, vpmaddwd and vpaddd, 256 bits
    SDB_INT8_NEON = 2     ///< smull and sadalp, 128 bits
} sdb_int8_kind;

/// Whether the processor has these instructions.
int sdb_int8_runs(sdb_int8_kind kind);

/// Runs `rounds` rounds of independent products of bytes and sums, where sdb_int8_runs says so,
/// and returns the operations that they were, two a product.
double sdb_int8(sdb_int8_kind kind, size_t rounds);

/// Reads `bytes` bytes (a multiple of 1024, 64-byte aligned) once and returns a sum of them.
float sdb_read(const void *from, size_t bytes);

/// The same from four places at once.
float sdb_read_streams(const void *from, size_t bytes);

/// Writes `bytes` bytes (a multiple of 1024, 64-byte aligned) once, past the caches where the
/// processor can.
void sdb_write_past_caches(void *to, size_t bytes);

/// Moves `bytes` bytes from all caches to memory.
void sdb_flush(const void *begin, size_t bytes);

#ifdef __cplusplus
}
#endif
#endif  // SDB_MACHINE_LIMITS_H
