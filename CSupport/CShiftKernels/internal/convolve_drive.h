// convolve_drive.h - the loops around the convolutions at kept positions: which pixels are
// compacted when, and which tiles run on them. Included by a convolution of an instruction set
// inside its target region, before which it defines
//     SDK_CONVOLVE                        the kernel
//     convolve_in, convolve_out           elements of the image, and the type of its `out`
//     SDK_TILE                            the most pixels of a tile
//     gather_slots(group, rows, count, channels, to, pitch)   compacts pixels into slots
//     run_tile(job, pixels)               all sums of a tile and their way out
//
// Compacted activations are blocks of positions, SDK_CONVOLVE_BLOCK bytes of them, in a block one
// slot a column of the input. Columns lie by their remainder by the stride, so that the pixels of
// a tile are neighbouring slots for every tap.
#include "convolve_job.h"

/// Columns of the input with one remainder by the stride.
typedef struct phase {
    size_t remainder, slots, first;
} phase;

/// The columns that one segment of output pixels reads.
typedef struct slot_plan {
    phase phases[SDK_CONVOLVE_TAPS];
    size_t phase_count, slots;
    uint32_t taps[SDK_CONVOLVE_TAPS];
} slot_plan;

static void plan_slots(const sdk_convolve_axis *axis, size_t segment, slot_plan *plan) {
    size_t of[SDK_CONVOLVE_TAPS];
    plan->phase_count = plan->slots = 0;
    for (size_t t = 0; t < axis->taps; t++) {
        size_t at = t * axis->dilation, i = 0;
        while (i < plan->phase_count && plan->phases[i].remainder != at % axis->stride) i++;
        if (i == plan->phase_count) {
            plan->phases[i] = (phase){at % axis->stride, 0, 0};
            plan->phase_count++;
        }
        // Taps rise, so the last tap of a phase reaches furthest.
        plan->phases[i].slots = segment + at / axis->stride;
        of[t] = i;
    }
    for (size_t i = 0; i < plan->phase_count; i++) {
        plan->phases[i].first = plan->slots;
        plan->slots += plan->phases[i].slots;
    }
    for (size_t t = 0; t < axis->taps; t++) {
        plan->taps[t] =
            (uint32_t)(plan->phases[of[t]].first + t * axis->dilation / axis->stride);
    }
}

/// One call of the kernel.
typedef struct drive {
    const sdk_convolution *convolution;
    sdk_convolve_axis rows, columns;
    const convolve_in *in, *outside;
    uint8_t *slots;
    size_t pitch;
    int zero;  ///< what each byte is of an element outside the image
    slot_plan plan;
} drive;

/// Compacts what `count` output pixels from (y, x) on read, the first of them into slot `slot`.
static void gather_pixels(const drive *d, const sdk_convolve_group *group, size_t y, size_t x,
                          size_t count, size_t slot, size_t segment) {
    const sdk_convolve_axis *rows = &d->rows, *columns = &d->columns;
    size_t channels = d->convolution->in_channels, stride = columns->stride;
    size_t in_block = SDK_CONVOLVE_BLOCK / sizeof(convolve_in);
    size_t blocks = (group->kept + in_block - 1) / in_block;
    for (size_t i = 0; i < d->plan.phase_count; i++) {
        const phase *part = d->plan.phases + i;
        size_t need = part->slots - segment + count;
        ptrdiff_t first =
            (ptrdiff_t)(x * stride + part->remainder) - (ptrdiff_t)columns->padding;
        ptrdiff_t room = (ptrdiff_t)columns->in_size - first;
        size_t begin = first < 0 ? ((size_t)-first + stride - 1) / stride : 0;
        size_t end = room > 0 ? sdk_least(((size_t)room + stride - 1) / stride, need) : 0;
        begin = sdk_least(begin, end);
        uint8_t *to = d->slots + (part->first + slot) * SDK_CONVOLVE_BLOCK;
        if (begin > 0 || end < need) {
            for (size_t b = 0; b < blocks; b++) {
                uint8_t *row = to + b * d->pitch;
                memset(row, d->zero, begin * SDK_CONVOLVE_BLOCK);
                memset(row + end * SDK_CONVOLVE_BLOCK, d->zero,
                       (need - end) * SDK_CONVOLVE_BLOCK);
            }
        }
        if (begin == end) continue;
        convolve_source sources[SDK_CONVOLVE_TAPS];
        for (size_t t = 0; t < rows->taps; t++) {
            size_t row = y * rows->stride + t * rows->dilation - rows->padding;
            sources[t] = (convolve_source){(const uint8_t *)d->outside, 0};
            if (row < rows->in_size) {
                size_t column = (size_t)(first + (ptrdiff_t)(begin * stride));
                sources[t].from =
                    (const uint8_t *)(d->in + (row * columns->in_size + column) * channels);
                sources[t].step = stride * channels * sizeof(convolve_in);
            }
        }
        gather_slots(group, sources, end - begin, channels, to + begin * SDK_CONVOLVE_BLOCK,
                     d->pitch);
    }
}

void SDK_CONVOLVE(const sdk_convolution *convolution, size_t first_row, size_t end_row,
                  size_t first_group, size_t end_group, const convolve_in *in,
                  const convolve_in *residual, convolve_out *out, uint8_t *scratch) {
    size_t channels = convolution->in_channels, filters = convolution->out_channels;
    size_t width = convolution->columns.out_size;
    size_t first = first_row * width, end = end_row * width;
    drive d = {.convolution = convolution, .rows = convolution->rows,
               .columns = convolution->columns, .in = in};
    int is_float = sizeof(convolve_in) == sizeof(float);
    d.zero = is_float ? 0 : convolution->in_zero;
    // Where an output pixel reads one input pixel in the same place, rows are as good as one.
    if (sdk_convolve_is_pointwise(convolution)) {
        d.rows.in_size = d.rows.out_size = 1;
        d.columns.in_size = d.columns.out_size = width = convolution->rows.out_size * width;
    }
    size_t segment = sdk_convolve_segment(convolution);
    plan_slots(&d.columns, segment, &d.plan);
    d.pitch = d.plan.slots * SDK_CONVOLVE_BLOCK;
    d.slots = scratch + (-(uintptr_t)scratch & (SDK_CONVOLVE_BLOCK - 1));
    uint8_t *outside =
        d.slots + sdk_convolve_blocks(convolution) * d.plan.slots * SDK_CONVOLVE_BLOCK;
    memset(outside, d.zero, channels * sizeof(convolve_in));
    d.outside = (const convolve_in *)outside;
    int has_floats = is_float || convolution->float_output;

    // Segments of rows, or with one column tap of the whole range; then, as many of them as keep
    // their input in the second-level cache for all groups.
    size_t line = d.columns.taps == 1 ? end - first : width;
    size_t segments = line > 0 ? (line + segment - 1) / segment : 0;
    size_t units = d.columns.taps == 1 ? segments : (end_row - first_row) * segments;
    size_t bytes =
        segment * d.rows.stride * d.columns.stride * channels * sizeof(convolve_in);
    size_t band = SDK_CONVOLVE_BAND / bytes + 1;
    for (size_t unit = 0; unit < units; unit += band) {
        for (size_t g = first_group; g < end_group; g++) {
            const sdk_convolve_group *group = convolution->groups + g;
            convolve_job job = {.convolution = convolution, .group = group,
                                .first = g * SDK_CONVOLVE_FILTERS, .taps = d.plan.taps,
                                .pitch = d.pitch};
            job.filters = sdk_least(filters - job.first, SDK_CONVOLVE_FILTERS);
            for (size_t u = unit; u < sdk_least(unit + band, units); u++) {
                size_t at = first + u / segments * line + u % segments * segment;
                size_t count = sdk_least(segment, line - u % segments * segment);
                for (size_t slot = 0; slot < count;) {
                    size_t y = (at + slot) / width, x = (at + slot) % width;
                    size_t pixels = sdk_least(count - slot, width - x);
                    gather_pixels(&d, group, y, x, pixels, slot, segment);
                    slot += pixels;
                }
                size_t parts = (count + SDK_TILE - 1) / SDK_TILE;
                for (size_t slot = 0; parts > 0; parts--) {
                    size_t pixels = (count - slot + parts - 1) / parts;
                    size_t to = (at + slot) * filters + job.first;
                    job.slots = d.slots + slot * SDK_CONVOLVE_BLOCK;
                    job.residual = residual ? residual + to : NULL;
                    job.out = has_floats ? NULL : (uint8_t *)out + to;
                    job.floats = has_floats ? (float *)out + to : NULL;
                    run_tile(&job, pixels);
                    slot += pixels;
                }
            }
        }
    }
}
