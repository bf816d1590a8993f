// shift_kernels.h - the whole public C API of the SmartDeal kernels.
//
// A SmartDeal weight is W = C B: C holds a few power-of-two coefficients a row, B is a tiny basis.
// Coefficients are stored as symbols: one nibble selects one of at most 16 patterns of one or two
// coefficients. A row of S weights is n symbols, and
//
//     w[t] = sum_{j < n} T_j[t][symbol_j],   T_j[t][k] = sum_i alphabet[k][i] * B[j c + i][t]
//
// so that shift-and-add becomes a look-up in a 16-entry table and an add: the same numbers.
//
// Every kernel exists once per instruction set (sdk_isa) with one signature; the scalar one in
// reference/ is the definition, and every other returns its bits, floating point included: the
// order of additions is fixed and a product is fused with an addition only where the definition
// says so. Two do not, the convolutions f32_lanes_correlate and f32_lanes_weight_gradient: their
// variants fuse and add in an order of their own, so that a result of n products differs from the
// scalar one by at most n 2^-23 times the sum of the magnitudes of its products.
// Kernels check nothing; the Swift module PowerOfTwo checks what reaches them.
#ifndef SDK_SHIFT_KERNELS_H
#define SDK_SHIFT_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Largest n (symbols a row), S (weights a row) and rows of symbols a chunk.
enum {
    SDK_MAX_NIBBLES = 64,
    SDK_MAX_WIDTH = 64,
    SDK_CHUNK_ROWS = 128,
    SDK_MAX_SEARCH_NIBBLES = 3,
    SDK_MAX_SEARCH_WIDTH = 8,
    SDK_SYMBOLS = 16
};

/// Instruction sets, in rising order on one machine.
typedef enum sdk_isa {
    SDK_ISA_SCALAR = 0,
    SDK_ISA_AVX2 = 1,    ///< AVX2 and FMA
    SDK_ISA_AVX512 = 2,  ///< AVX-512 F, BW, VL, DQ, VNNI and VBMI
    SDK_ISA_NEON = 3,    ///< ARMv8 NEON
    SDK_ISA_COUNT = 4
} sdk_isa;

/// The counter of a coefficient that never moves.
enum { SDK_FROZEN = -128 };

/// How coefficients move against their gradient; of two coefficients a symbol, k = 0 and 1.
typedef struct sdk_coefficient_rule {
    float rate, inertia, decay;  ///< learning rate, momentum, weight decay
    int nesterov;
    float threshold;  ///< >= 0
    int bar;          ///< 1 to 127
    /// What coefficient k of each symbol is.
    float coefficients[2][SDK_SYMBOLS];
    /// Rising; as many as there are levels, less one.
    float bounds[2][SDK_SYMBOLS - 1];
    size_t bound_count[2];
    /// The symbol that each symbol becomes.
    uint8_t moves[2][SDK_SYMBOLS][SDK_SYMBOLS];
    /// What a counter of one is worth at coefficient k of each symbol, > 0: where remainders are
    /// carried.
    float units[2][SDK_SYMBOLS];
    uint64_t key;  ///< of the chance by which remainders are rounded
} sdk_coefficient_rule;

/// Images whose values lie side by side in batch lanes: activations [C][H][W][SDK_LANES], one
/// image a lane, so that no stride, padding or mask gets in the way of wide registers.
enum { SDK_LANES = 16 };

/// One axis (rows or columns) of a pass of a convolution over planes in batch lanes. For output
/// index i < count and tap t < taps the pass reads the input at in_first + i in_step + t tap_step,
/// zero outside 0..<in_size, and writes the output at out_first + i out_step, inside 0..<out_size.
typedef struct sdk_lanes_axis {
    size_t in_size, out_size;
    size_t count, out_first, out_step;
    ptrdiff_t in_first;
    size_t in_step, tap_step, taps;
    size_t tile;  ///< output indexes that share one copy of the input (speed only)
} sdk_lanes_axis;

/// One pass of a convolution: all of a forward convolution, or what of the gradient of its input
/// has one remainder by the strides. `chunk` input channels are copied at a time.
typedef struct sdk_lanes_pass {
    size_t in_channels, out_channels, chunk;
    sdk_lanes_axis rows, columns;
} sdk_lanes_pass;

/// A kept row of taps: its input channel and row tap in one number.
#define SDK_LANES_ROW(channel, tap) ((uint32_t)((channel) << 16 | (tap)))

/// Returns the indexes of the input that one tile of an axis needs, with a single tap only those
/// that it reads: the scratch of a pass is chunk * rows * columns * SDK_LANES floats.
size_t sdk_lanes_extent(const sdk_lanes_axis *axis);

/// Filters that share their kept positions, bytes of a block of compacted activations, and the most
/// taps along an axis of a convolution at kept positions.
enum { SDK_CONVOLVE_FILTERS = 32, SDK_CONVOLVE_BLOCK = 64, SDK_CONVOLVE_TAPS = 64 };

/// A kept position: its input channel and row tap, each below 2^16 - 1, in one number.
#define SDK_CONVOLVE_POSITION(channel, tap) ((uint32_t)((channel) << 16 | (tap)))
/// A place of a block that nothing is moved to and nobody reads.
#define SDK_CONVOLVE_NOTHING UINT32_MAX

/// One axis of a convolution at kept positions: output index i and tap t read the input at
/// i stride + t dilation - padding.
typedef struct sdk_convolve_axis {
    size_t in_size, out_size, taps, stride, dilation, padding;
} sdk_convolve_axis;

/// What moves the kept ones of the channels that lie in 64 neighbouring bytes into a block of 64
/// bytes: byte b becomes byte index[b] from `channel` on where bit b of `bytes` is set.
typedef struct sdk_convolve_step {
    uint8_t index[SDK_CONVOLVE_BLOCK];
    uint64_t bytes;
    uint32_t block;
    uint16_t channel, tap;
} sdk_convolve_step;

/// The same of 16 neighbouring bytes: place `place + i` of a list becomes byte index[i] from `channel`
/// on, 0 where that is above 127.
typedef struct sdk_convolve_narrow_step {
    uint8_t index[16];
    uint32_t place;
    uint16_t channel, tap;
} sdk_convolve_narrow_step;

/// Kept positions that are compacted at once, into blocks of 64 bytes: those of one group of
/// filters after those of another.
typedef struct sdk_convolve_list {
    size_t kept;  ///< places: positions, padding of groups and SDK_CONVOLVE_NOTHING
    const uint32_t *positions;
    const sdk_convolve_step *steps;
    size_t step_count;
    const sdk_convolve_narrow_step *narrow;  ///< of bytes of at least 16 channels
    size_t narrow_count;
    size_t first_group, end_group;
} sdk_convolve_list;

/// Filters that share kept positions, `kept` of their list from `first` on: of integers multiples
/// of 4, for which padding repeats any position with weights of zero; with several column taps
/// `first` begins a block. `weights` are, of integers, s8 [block][column tap][quad of
/// positions][32 filters][4 positions], a block being 64 positions from `first` on, the last what
/// is left; of floats f32 [block][column tap][position][32 filters], a block being 16 positions.
typedef struct sdk_convolve_group {
    size_t first, kept;
    const uint32_t *positions;
    const void *weights;
} sdk_convolve_group;

/// A convolution of one image of u8 [height][width][in_channels] whose value is
/// in_scale (x - in_zero) with s8 weights, each filter with a scale of its own. For output pixel
/// (i, j) and filter o, in int32 that wraps,
///
///     sum = correction[o] + sum over kept (channel, row tap) and column taps t
///                           of weight * in[row of i, tap][column of j, t][channel]
///
/// where the input outside the image is in_zero and correction[o] is -in_zero times the sum of the
/// weights of the filter. Then in f32, where fma rounds once,
///
///     y = fma(sum, scale[o], bias[o])
///     y = fma(residual, residual_scale, y)                  (with a residual, u8 like the output)
///     y = y > low ? y : low;  y = y < high ? y : high       (NaN becomes low)
///     out = y                                               (float_output)
///     out = round(y) + out_zero                             (otherwise; ties to even)
///
/// so that for a u8 output scales, bias, low and high are in units of one step of the output, with
/// -out_zero <= low <= high <= 255 - out_zero, and the zero point of a residual is in the bias.
/// `correction`, `scale` and `bias` have 32 elements for every group.
///
/// Of one image of f32 with f32 weights it is a chain of fused multiply-adds in the order in which
/// `weights` lie: by block, then column tap, then position.
///
///     y = bias[o]
///     y = fma(in[row of i, tap][column of j, t][channel], weight, y)    (0 outside the image)
///     y = y + residual                                                  (with a residual, f32)
///     out = clipped to low ... high                                     (NaN stays NaN)
///
/// What is named in neither is not read then.
///
/// With a `window` of more than one column the only column tap stands for that many neighbouring
/// ones, whose channels are counted on: channel c of the w-th is channel w in_channels + c.
typedef struct sdk_convolution {
    size_t element_bytes;  ///< of the image: 1 for u8_s8_convolve, 4 for f32_convolve
    size_t in_channels, out_channels;
    size_t window;  ///< 1, or with one column tap of dilation 1 the columns that it stands for
    sdk_convolve_axis rows, columns;
    const sdk_convolve_list *lists;
    size_t list_count;
    const sdk_convolve_group *groups;
    const int32_t *correction;
    const float *scale, *bias;
    float residual_scale, low, high;
    uint8_t in_zero, out_zero;
    int float_output;
} sdk_convolution;

/// Returns the bytes of scratch that the kernel takes, at any alignment.
size_t sdk_convolve_scratch(const sdk_convolution *convolution);

/// Returns how many positions a list may have for compacted activations to stay in the first-level
/// cache; at least one block of them. Of `convolution` only the shape is read.
size_t sdk_convolve_list_capacity(const sdk_convolution *convolution);

/// Writes the steps of a list whose positions rise by (tap, channel) in every group and returns
/// their number; with `steps` NULL only counts them. Of `convolution` only the shape is read.
size_t sdk_convolve_plan(const sdk_convolution *convolution, size_t kept,
                         const uint32_t *positions, sdk_convolve_step *steps);

/// Writes the narrow steps of a list of bytes and returns their number, 0 with fewer than 16 channels;
/// with `steps` NULL only counts them. Of `convolution` only the shape is read.
size_t sdk_convolve_plan_narrow(const sdk_convolution *convolution, size_t kept,
                                const uint32_t *positions, sdk_convolve_narrow_step *steps);

/// Packs the f32 weights of `filters` <= 32 filters, [filters][in_channels][row taps][column taps],
/// at `kept` positions, as a group has them. Of `convolution` only the shape is read.
void sdk_convolve_pack_floats(const sdk_convolution *convolution, size_t filters,
                              const float *weights, size_t kept, const uint32_t *positions,
                              float *packed);

/// Packs the s8 weights of `filters` <= 32 filters, [filters][in_channels][row taps][column taps],
/// at `kept` positions followed by padding to a multiple of 4, as a group has them, and adds
/// -in_zero times their sums to `correction[filters]`. Of `convolution` only the shape and in_zero
/// are read.
void sdk_convolve_pack(const sdk_convolution *convolution, size_t filters, const int8_t *weights,
                       size_t kept, const uint32_t *positions, int8_t *packed,
                       int32_t *correction);

/// Packed rows for products with vectors: panels of 8 F filters, whose rows lie side by side, so
/// that one register serves many filters and no sum crosses its lanes.
///
/// A step is R = 16 / F rows of all filters of a panel: n planes of 64 bytes. Byte i of a plane has
/// row i % R of filter i / R in its low nibble and the same row of filter 4 F + i / R in its high
/// one. All filters of a panel have the same number of steps in a run; rows that they lack meet
/// zeros of x. `packed` holds panel after panel, in a panel run after run: 32 scales as IEEE
/// half floats, that of byte i of a plane as number i / 4 and for the high nibbles 16 + i / 4, then
/// the steps. `tables` holds panel after panel, run after run, n S tables [16] for each of
/// `quads` quads of F filters.
typedef struct sdk_panels {
    size_t n, S;
    size_t F;      ///< filters of one quad, which share their tables: 1, 2 or 4
    size_t quads;  ///< 8, or 1 when all filters of a panel share their tables
    size_t runs;   ///< parts of a row of weights that have a scale and tables of their own
    const uint32_t *steps;  ///< steps of each run
} sdk_panels;

/// One instruction set's kernels, as a table of function pointers.
typedef struct sdk_kernel_table {
#define SDK_KERNEL(name, parameters) void(*name) parameters;
#include "kernel_list.inc"
#undef SDK_KERNEL
} sdk_kernel_table;

/// Returns the kernels of `isa`, or NULL when this build or this CPU does not have it.
const sdk_kernel_table *sdk_kernels(sdk_isa isa);

/// Returns the instruction set in use: the best that this CPU has, or the one that the
/// environment variable SMARTDEAL_ISA names (scalar, avx2, avx512, neon) when it can run here.
/// Decided once.
sdk_isa sdk_selected_isa(void);

/// Returns 1 when SMARTDEAL_ISA is set to a name that is unknown or cannot run here.
int sdk_isa_request_refused(void);

/// Writes |sum_j T_j[.][k_j]|^2 of all 16^n combinations, first symbol slowest, into
/// `norms[16^n]`; combinations that use a symbol at or above `symbols` get FLT_MAX.
/// `tables` is [n][S][16]. n <= SDK_MAX_SEARCH_NIBBLES.
void sdk_combination_norms(size_t n, size_t S, size_t symbols, const float *tables, float *norms);

/// Adds the moments that a least-squares basis needs, of `rows` rows with one weight each:
/// singles[j][k] += weight where symbol j is k; pairs[p][k][k'] += weight for the pairs p of
/// symbols j < j' in the order (0,1), (0,2), ..., (n-2,n-1); sums[j][k][t] += weight x[t].
/// `x` is [rows][S], `symbols` [rows][n]; the outputs are [n][16], [n(n-1)/2][16][16], [n][16][S].
void sdk_symbol_moments(size_t rows, size_t n, size_t S, const float *x, const uint8_t *symbols,
                        double weight, double *singles, double *pairs, double *sums);

#ifdef __cplusplus
}
#endif
#endif  // SDK_SHIFT_KERNELS_H
