// convolve_slots.h - compacting what the pixels of a segment read. Included by convolve_drive.h.
//
// Compacted activations are blocks of positions, SDK_CONVOLVE_BLOCK bytes of them, in a block one
// slot a column of the input. Columns lie by their remainder by the stride, so that the pixels of
// a tile are neighbouring slots for every tap.

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
    const convolve_in *in;
    size_t column;     ///< bytes of a column of the input
    uint8_t *outside;  ///< a row outside the image
    uint8_t *edge;     ///< columns at the edge of the image, one part for each row tap
    uint8_t *slots;
    size_t pitch;
    int zero;  ///< what each byte is of an element outside the image
    slot_plan plan;
} drive;

/// Slots of columns outside the image.
static void fill_slots(uint8_t *to, size_t count, int zero) {
    for (size_t i = 0; i < count; i++) {
        convolve_lane *lanes = (convolve_lane *)(to + i * CONVOLVE_SLOT);
        for (size_t k = 0; k < SDK_CONVOLVE_BLOCK / sizeof(convolve_in); k++) {
            lanes[k] = (convolve_lane)zero;
        }
    }
}

/// Compacts `count` output pixels of row `y` whose columns, from `column` of the input on, are all
/// inside the image.
static void gather_inside(const drive *d, const sdk_convolve_list *list, size_t y, size_t column,
                          size_t count, uint8_t *to) {
    const uint8_t *sources[SDK_CONVOLVE_TAPS];
    for (size_t t = 0; t < d->rows.taps; t++) {
        size_t row = sdk_convolve_index(&d->rows, y, t);
        sources[t] = d->outside;
        if (row < d->rows.in_size) {
            size_t at = (row * d->columns.in_size + column) * d->column;
            sources[t] = (const uint8_t *)d->in + at;
        }
    }
    gather_slots(list, sources, d->columns.stride * d->column, count,
                 d->convolution->window * d->convolution->in_channels, to, d->pitch);
}

/// The same of windows some of whose columns are not, which are put together before.
static void gather_edge(const drive *d, const sdk_convolve_list *list, size_t y, ptrdiff_t column,
                        size_t count, uint8_t *to) {
    size_t columns = (count - 1) * d->columns.stride + d->convolution->window;
    ptrdiff_t room = (ptrdiff_t)d->columns.in_size - column;
    size_t begin = column < 0 ? sdk_least((size_t)-column, columns) : 0;
    size_t end = room > 0 ? sdk_least((size_t)room, columns) : 0;
    const uint8_t *sources[SDK_CONVOLVE_TAPS];
    for (size_t t = 0; t < d->rows.taps; t++) {
        size_t row = sdk_convolve_index(&d->rows, y, t);
        uint8_t *line = d->edge + t * columns * d->column;
        memset(line, d->zero, columns * d->column);
        if (row < d->rows.in_size && begin < end) {
            size_t from = row * d->columns.in_size + (size_t)(column + (ptrdiff_t)begin);
            memcpy(line + begin * d->column, (const uint8_t *)d->in + from * d->column,
                   (end - begin) * d->column);
        }
        sources[t] = line;
    }
    gather_slots(list, sources, d->columns.stride * d->column, count,
                 d->convolution->window * d->convolution->in_channels, to, d->pitch);
}

/// Compacts what `count` output pixels from (y, x) on read, the first of them into slot `slot`.
static void gather_pixels(const drive *d, const sdk_convolve_list *list, size_t y, size_t x,
                          size_t count, size_t slot, size_t segment) {
    const sdk_convolve_axis *columns = &d->columns;
    size_t stride = columns->stride, window = d->convolution->window;
    size_t in_block = SDK_CONVOLVE_BLOCK / sizeof(convolve_in);
    size_t blocks = (list->kept + in_block - 1) / in_block;
    for (size_t i = 0; i < d->plan.phase_count; i++) {
        const phase *part = d->plan.phases + i;
        size_t need = part->slots - segment + count;
        ptrdiff_t first =
            (ptrdiff_t)(x * stride + part->remainder) - (ptrdiff_t)columns->padding;
        // Inside the image are the windows of begin ..< end.
        ptrdiff_t room = (ptrdiff_t)columns->in_size + 1 - first - (ptrdiff_t)window;
        size_t begin = first < 0 ? ((size_t)-first + stride - 1) / stride : 0;
        size_t end = room > 0 ? sdk_least(((size_t)room + stride - 1) / stride, need) : 0;
        begin = sdk_least(begin, end);
        uint8_t *to = d->slots + (part->first + slot) * CONVOLVE_SLOT;
        if (window == 1 && (begin > 0 || end < need)) {
            for (size_t b = 0; b < blocks; b++) {
                uint8_t *row = to + b * d->pitch;
                fill_slots(row, begin, d->zero);
                fill_slots(row + end * CONVOLVE_SLOT, need - end, d->zero);
            }
        }
        if (window > 1) {
            // Short rows are put together whole.
            if (end - begin <= SDK_CONVOLVE_EDGE) begin = end;
            for (size_t j = 0; j < need;) {
                if (j == begin) j = end;
                size_t run = sdk_least((j < begin ? begin : need) - j, SDK_CONVOLVE_EDGE);
                if (run == 0) break;
                gather_edge(d, list, y, first + (ptrdiff_t)(j * stride), run,
                            to + j * CONVOLVE_SLOT);
                j += run;
            }
        }
        if (begin == end) continue;
        gather_inside(d, list, y, (size_t)(first + (ptrdiff_t)(begin * stride)), end - begin,
                      to + begin * CONVOLVE_SLOT);
    }
}
