// convolve_drive.h - the loops around the convolutions at kept positions: which pixels are
// compacted when, and which tiles run on them. Included by a convolution of an instruction set
// inside its target region, before which it defines
//     SDK_CONVOLVE                        the kernel
//     convolve_in, convolve_out           elements of the image, and the type of its `out`
//     convolve_lane, CONVOLVE_SLOT        elements of a slot, and the bytes from one to the next
//     SDK_TILE                            the most pixels of a tile
//     gather_slots(list, rows, pixel, count, channels, to, pitch)   compacts pixels into slots
//     run_tile(job, pixels)               all sums of a tile and their way out
#include "convolve_job.h"
#include "convolve_slots.h"

/// What the tiles of one group have in common.
static convolve_job group_job(const drive *d, size_t g, int saturates) {
    const sdk_convolution *c = d->convolution;
    const sdk_convolve_group *group = c->groups + g;
    size_t first = group->first * sizeof(convolve_in) / SDK_CONVOLVE_WORD;
    convolve_job job = {.convolution = c,
                        .first = g * SDK_CONVOLVE_FILTERS,
                        .weights = group->weights,
                        .skipped = first % SDK_CONVOLVE_WORDS,
                        .words = group->kept * sizeof(convolve_in) / SDK_CONVOLVE_WORD,
                        .taps = d->plan.taps,
                        .pitch = d->pitch,
                        .slots = d->slots + first / SDK_CONVOLVE_WORDS * d->pitch,
                        .saturates = saturates};
    job.filters = sdk_least(c->out_channels - job.first, SDK_CONVOLVE_FILTERS);
    return job;
}

void SDK_CONVOLVE(const sdk_convolution *convolution, size_t first_row, size_t end_row,
                  size_t first_list, size_t end_list, const convolve_in *in,
                  const convolve_in *residual, convolve_out *out, uint8_t *scratch) {
    size_t filters = convolution->out_channels, width = convolution->columns.out_size;
    size_t first = first_row * width, end = end_row * width;
    drive d = {.convolution = convolution, .rows = convolution->rows,
               .columns = convolution->columns, .in = in,
               .column = convolution->in_channels * sizeof(convolve_in)};
    int is_float = sizeof(convolve_in) == sizeof(float);
    d.zero = is_float ? 0 : convolution->in_zero;
    // Where an output pixel reads one input pixel in the same place, rows are as good as one.
    if (sdk_convolve_is_pointwise(convolution)) {
        d.rows.in_size = d.rows.out_size = 1;
        d.columns.in_size = d.columns.out_size = width = convolution->rows.out_size * width;
    }
    size_t segment = sdk_convolve_segment(convolution);
    plan_slots(&d.columns, segment, &d.plan);
    size_t together = SDK_TILE < SDK_CONVOLVE_PIXELS ? 1 : sdk_convolve_segment_rows(convolution);
    d.pitch = together * d.plan.slots * CONVOLVE_SLOT;
    d.slots = scratch + (-(uintptr_t)scratch & (SDK_CONVOLVE_BLOCK - 1));
    d.outside = d.slots + sdk_convolve_blocks(convolution) * d.pitch;
    size_t row_bytes = sdk_convolve_row_bytes(convolution, segment);
    memset(d.outside, d.zero, row_bytes);
    d.edge = d.outside + row_bytes;
    int has_floats = is_float || convolution->float_output;
    int saturates = !is_float && sdk_convolve_saturates(convolution);

    // Segments of rows, or of two, or with one column tap of the whole range; then, as many of them
    // as keep their input in the second-level cache for all lists.
    size_t line = d.columns.taps == 1 || together > 1 ? end - first : width;
    size_t length = together > 1 ? together * width : segment;
    size_t segments = line > 0 ? (line + length - 1) / length : 0;
    size_t units = line > 0 ? (end - first) / line * segments : 0;
    size_t bytes = length * d.rows.stride * d.columns.stride * d.column;
    size_t band = SDK_CONVOLVE_BAND / bytes + 1;
    for (size_t unit = 0; unit < units; unit += band) {
        for (size_t l = first_list; l < end_list; l++) {
            const sdk_convolve_list *list = convolution->lists + l;
            for (size_t u = unit; u < sdk_least(unit + band, units); u++) {
                size_t at = first + u / segments * line + u % segments * length;
                size_t count = sdk_least(length, line - u % segments * length);
                for (size_t slot = 0; slot < count;) {
                    size_t y = (at + slot) / width, x = (at + slot) % width;
                    size_t pixels = sdk_least(count - slot, width - x);
                    size_t place = together > 1 ? slot / width * d.plan.slots : slot;
                    gather_pixels(&d, list, y, x, pixels, place, segment);
                    slot += pixels;
                }
                size_t parts = (count + SDK_TILE - 1) / SDK_TILE;
                for (size_t slot = 0; parts > 0; parts--) {
                    size_t pixels = (count - slot + parts - 1) / parts;
                    for (size_t g = list->first_group; g < list->end_group; g++) {
                        convolve_job job = group_job(&d, g, saturates);
                        size_t to = (at + slot) * filters + job.first;
                        job.slots += slot * CONVOLVE_SLOT;
                        if (together > 1 && pixels > width) {
                            job.gap = (d.plan.slots - width) * CONVOLVE_SLOT;
                        }
                        job.residual = residual ? residual + to : NULL;
                        job.out = has_floats ? NULL : (uint8_t *)out + to;
                        job.floats = has_floats ? (float *)out + to : NULL;
                        run_tile(&job, pixels);
                    }
                    slot += pixels;
                }
            }
        }
    }
}
