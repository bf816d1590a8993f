// convolve_job.h - what the loops of the convolutions at kept positions hand to their inner
// kernels.
#ifndef SDK_CONVOLVE_JOB_H
#define SDK_CONVOLVE_JOB_H

#include "kernel_prototypes.h"

/// Bytes of the input that all groups of filters run over before the next: they stay in the
/// second-level cache. Bytes of compacted activations: they stay in the first.
enum { SDK_CONVOLVE_BAND = 256 << 10, SDK_CONVOLVE_SLOTS = 16 << 10 };

/// Where a row tap finds pixel 0 of a run, and the bytes from one pixel to the next.
typedef struct convolve_source {
    const uint8_t *from;
    size_t step;
} convolve_source;

/// A tile: the sums of the filters of a group at some neighbouring slots.
typedef struct convolve_job {
    const sdk_convolution *convolution;
    const sdk_convolve_group *group;
    size_t first, filters;  ///< of the group
    const uint32_t *taps;   ///< the slot of each column tap for pixel 0
    size_t pitch;           ///< bytes from block to block
    const uint8_t *slots;   ///< at pixel 0
    const void *residual;   ///< of the type of the image
    uint8_t *out;           ///< or NULL where `floats` is where sums go
    float *floats;
} convolve_job;

static inline size_t sdk_least(size_t a, size_t b) { return a < b ? a : b; }

/// The input that output index `i` reads at tap `t`; not below in_size where outside.
static inline size_t sdk_convolve_index(const sdk_convolve_axis *axis, size_t i, size_t t) {
    return i * axis->stride + t * axis->dilation - axis->padding;
}

/// The most blocks of a group, at least 1.
size_t sdk_convolve_blocks(const sdk_convolution *convolution);
/// Output pixels that are compacted together.
size_t sdk_convolve_segment(const sdk_convolution *convolution);
/// Whether output pixel (i, j) reads input pixel (i, j) only.
int sdk_convolve_is_pointwise(const sdk_convolution *convolution);

#endif  // SDK_CONVOLVE_JOB_H
