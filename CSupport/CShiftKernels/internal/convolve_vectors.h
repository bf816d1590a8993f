// convolve_vectors.h - registers of convolve_body.h: SDK_PART numbers of 32 bits, twice of 16.
#pragma clang diagnostic ignored "-Wpsabi"

typedef int32_t convolve_i32 __attribute__((ext_vector_type(SDK_PART)));
typedef float convolve_f32 __attribute__((ext_vector_type(SDK_PART)));
typedef uint8_t convolve_u8 __attribute__((ext_vector_type(SDK_PART)));
typedef int16_t convolve_i16 __attribute__((ext_vector_type(2 * SDK_PART)));
typedef uint16_t convolve_u16 __attribute__((ext_vector_type(2 * SDK_PART)));
