// convolve_gather.h - compacting kept positions where no instruction does it.
static void gather_slots(const sdk_convolve_group *group, const convolve_source *rows,
                         size_t count, size_t channels, uint8_t *to, size_t pitch) {
    (void)channels;
    size_t in_block = SDK_CONVOLVE_BLOCK / sizeof(convolve_in);
    for (size_t k = 0; k < group->kept; k++) {
        const convolve_source *row = rows + (group->positions[k] & 0xFFFF);
        const uint8_t *from = row->from + (group->positions[k] >> 16) * sizeof(convolve_in);
        uint8_t *at = to + k / in_block * pitch + k % in_block * sizeof(convolve_in);
        for (size_t i = 0; i < count; i++) {
            memcpy(at + i * SDK_CONVOLVE_BLOCK, from + i * row->step, sizeof(convolve_in));
        }
    }
}
