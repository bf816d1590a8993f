// convolve_six.h - the tiles of up to six pixels.
#include "convolve_tile.h"

INLINE void run_tile(const convolve_job *job, size_t pixels) {
    switch (pixels) {
    case 6: tile(job, 6, CONVOLVE_PARTS); break;
    case 5: tile(job, 5, CONVOLVE_PARTS); break;
    case 4: tile(job, 4, CONVOLVE_PARTS); break;
    case 3: tile(job, 3, CONVOLVE_PARTS); break;
    case 2: tile(job, 2, CONVOLVE_PARTS); break;
    default: tile(job, 1, CONVOLVE_PARTS); break;
    }
}
