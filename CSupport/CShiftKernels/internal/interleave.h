// interleave.h - shuffle indexes that turn S planes of rows into rows of S values.
#ifndef SDK_INTERLEAVE_H
#define SDK_INTERLEAVE_H

#include <stddef.h>
#include <stdint.h>

/// Widths up to this have vector code; wider rows take the scalar path.
enum { SDK_VECTOR_WIDTH = 8 };

/// index[v][t][l]: which of 16 rows the byte l of output part v takes from plane t, or 0x80 when
/// that byte belongs to another plane.
static inline void sdk_interleave_bytes(size_t S, uint8_t index[][SDK_VECTOR_WIDTH][16]) {
    for (size_t v = 0; v < S; v++) {
        for (size_t t = 0; t < S; t++) {
            for (size_t l = 0; l < 16; l++) {
                size_t position = v * 16 + l;
                index[v][t][l] = position % S == t ? (uint8_t)(position / S) : 0x80;
            }
        }
    }
}

#endif  // SDK_INTERLEAVE_H
