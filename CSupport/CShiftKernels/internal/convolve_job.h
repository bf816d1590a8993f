// convolve_job.h - what the loops of the convolutions at kept positions hand to their inner
// kernels.
#ifndef SDK_CONVOLVE_JOB_H
#define SDK_CONVOLVE_JOB_H

#include "kernel_prototypes.h"

/// Bytes of the input that all lists run over before the next: they stay in the second-level
/// cache. Bytes of compacted activations, and of the weights that each tile of them meets: they stay
/// in the first. Pixels of a row of the usual networks are multiples of the last, or half of it.
enum {
    SDK_CONVOLVE_BAND = 256 << 10,
    SDK_CONVOLVE_SLOTS = 16 << 10,
    SDK_CONVOLVE_WEIGHTS = 24 << 10,
    SDK_CONVOLVE_PIXELS = 14
};
/// Bytes of weights that are multiplied at once, four integers or a float, and how many a block has.
enum { SDK_CONVOLVE_WORD = 4, SDK_CONVOLVE_WORDS = SDK_CONVOLVE_BLOCK / SDK_CONVOLVE_WORD };
/// Bytes of a slot of 64 positions widened to 16 bits, and of what may be written behind them.
enum { SDK_CONVOLVE_WIDE_SLOT = 2 * SDK_CONVOLVE_BLOCK + 32 };

/// Output pixels whose windows reach over an edge of the image that are put together at once.
enum { SDK_CONVOLVE_EDGE = 32 };

/// A tile: the sums of the filters of a group at some neighbouring slots.
typedef struct convolve_job {
    const sdk_convolution *convolution;
    size_t first, filters;   ///< of the group
    const uint8_t *weights;  ///< of the group, 32 words for each word of a slot
    size_t skipped, words;   ///< of the first block, and all that follow
    const uint32_t *taps;    ///< the slot of each column tap for pixel 0
    size_t pitch;            ///< bytes from block to block
    const uint8_t *slots;    ///< at the first block of the group and pixel 0
    size_t gap;              ///< bytes between the slots of the first half of pixels and the rest
    const void *residual;    ///< of the type of the image
    uint8_t *out;            ///< or NULL where `floats` is where sums go
    float *floats;
    int saturates;           ///< see sdk_convolve_saturates
} convolve_job;

static inline size_t sdk_least(size_t a, size_t b) { return a < b ? a : b; }

/// The input that output index `i` reads at tap `t`; not below in_size where outside.
static inline size_t sdk_convolve_index(const sdk_convolve_axis *axis, size_t i, size_t t) {
    return i * axis->stride + t * axis->dilation - axis->padding;
}

/// What the scalar kernels read, an index into the image: element `channel` of input pixel (y, x),
/// counted on through the window; SIZE_MAX outside the image.
static inline size_t sdk_convolve_element(const sdk_convolution *c, size_t y, size_t x,
                                          size_t channel) {
    x += channel / c->in_channels;
    if (y >= c->rows.in_size || x >= c->columns.in_size) return SIZE_MAX;
    return (y * c->columns.in_size + x) * c->in_channels + channel % c->in_channels;
}

/// Where [in_channels][row taps][column taps] has the weight of a position at a column tap.
static inline size_t sdk_convolve_weight(const sdk_convolution *c, uint32_t position, size_t t) {
    size_t channel = position >> 16, row = position & 0xFFFF;
    size_t taps = c->columns.taps * c->window;
    t += channel / c->in_channels;
    return ((channel % c->in_channels) * c->rows.taps + row) * taps + t;
}

/// Rows of the output that are one segment: two whose pixels fit one tile, where pixels share slots.
size_t sdk_convolve_segment_rows(const sdk_convolution *convolution);
/// The most blocks of a list, at least 1.
size_t sdk_convolve_blocks(const sdk_convolution *convolution);
/// Output pixels that are compacted together.
size_t sdk_convolve_segment(const sdk_convolution *convolution);
/// Bytes that a row of the input takes of which `segment` output pixels read; and those of all row
/// taps at an edge, of a window.
size_t sdk_convolve_row_bytes(const sdk_convolution *convolution, size_t segment);
size_t sdk_convolve_edge_bytes(const sdk_convolution *convolution);
/// Whether output pixel (i, j) reads input pixel (i, j) only.
int sdk_convolve_is_pointwise(const sdk_convolution *convolution);
/// Whether no result, rounded, leaves int32, and what limits it is its type, u8, alone.
int sdk_convolve_saturates(const sdk_convolution *convolution);

#endif  // SDK_CONVOLVE_JOB_H
