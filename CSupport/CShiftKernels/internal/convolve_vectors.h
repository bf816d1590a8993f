// convolve_vectors.h - registers of convolve_body.h: SDK_PART numbers of 32 bits, twice of 16; and
// what it takes apart from its arithmetic.
#pragma clang diagnostic ignored "-Wpsabi"
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

typedef int32_t convolve_i32 __attribute__((ext_vector_type(SDK_PART)));
typedef float convolve_f32 __attribute__((ext_vector_type(SDK_PART)));
typedef uint8_t convolve_u8 __attribute__((ext_vector_type(SDK_PART)));
typedef int8_t convolve_s8 __attribute__((ext_vector_type(2 * SDK_PART)));
typedef int16_t convolve_i16 __attribute__((ext_vector_type(2 * SDK_PART)));
typedef uint64_t convolve_u64 __attribute__((ext_vector_type(SDK_PART / 2)));

typedef uint8_t convolve_in;
typedef uint16_t convolve_lane;
typedef void convolve_out;
enum { CONVOLVE_SLOT = SDK_CONVOLVE_WIDE_SLOT };
#include "convolve_gather.h"
